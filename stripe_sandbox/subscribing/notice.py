"""Notice: when a subscription is to end, as `cancel_at` and its relatives say."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.subscribing import items as subscription_items


def values(context: Context, subscription: Json, params: Json) -> Json:
    """Return what the parameters say of the end; nothing, if they do not speak of it.

    Raises:
        ApiError: two of them contradict each other, or the time is past.
    """
    given = {name: params[name] for name in _PARAMETERS & params.keys()}
    if not given:
        return {}
    if len(given) > 1:
        raise ApiError(
            "You may only specify one of these parameters: cancel_at,"
            " cancel_at_period_end.",
            param="cancel_at",
        )
    at = _cancel_at(context, subscription, given)
    reason = "cancellation_requested" if at else None
    return {
        "cancel_at": at,
        "cancel_at_period_end": given.get("cancel_at_period_end", False),
        "canceled_at": context.now if at else None,
        "cancellation_details": subscription["cancellation_details"]
        | {"reason": reason},
    }


def moves_end(subscription: Json) -> bool:
    """Whether the current period is to end at another time than it says."""
    natural = subscription_items.natural_end(subscription)
    end = subscription_items.held(subscription, natural)
    return end != subscription_items.period_of(subscription)[1]


_PARAMETERS = frozenset({"cancel_at", "cancel_at_period_end"})


def _cancel_at(context: Context, subscription: Json, given: Json) -> int | None:
    """All periods of the sandbox's subscriptions end together."""
    _, end = subscription_items.period_of(subscription)
    if "cancel_at_period_end" in given:
        return end if given["cancel_at_period_end"] else None
    wanted: int | str = given["cancel_at"]
    if wanted == "":
        return None
    if wanted in ("min_period_end", "max_period_end"):
        return end
    if wanted == "max_billed_until":
        raise not_in_the_sandbox("`cancel_at` max_billed_until")
    if int(wanted) <= context.now:
        raise ApiError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.",
            param="cancel_at",
        )
    return int(wanted)
