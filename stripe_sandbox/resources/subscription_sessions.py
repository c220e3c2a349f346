"""What is special about a Checkout Session in mode `subscription`."""

from __future__ import annotations

from stripe_sandbox import discounting
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import line_items
from stripe_sandbox.resources.fields import refuse_unsupported

PARAMETERS = frozenset({"payment_method_collection", "subscription_data"})
_NOT_HERE = ("customer_creation", "invoice_creation", "payment_intent_data")
_DATA = frozenset({"billing_mode", "description", "metadata", "trial_end",
                   "trial_period_days", "trial_settings"})  # fmt: skip


def check(params: Json) -> None:
    """Refuse what does not go with the mode.

    Raises:
        ApiError: a parameter of another mode.
    """
    for name in _NOT_HERE:
        if name in params:
            raise ApiError(
                f"You can not pass `{name}` in `subscription` mode.", param=name
            )
    refuse_unsupported(
        "`subscription_data`", params.get("subscription_data", {}), _DATA
    )
    if params.get("payment_method_collection", "always") != "always":
        refuse_unsupported("Checkout Sessions", params, frozenset(params) - PARAMETERS)


def refuse_elsewhere(params: Json) -> None:
    """Refuse in the other modes what belongs to this one.

    Raises:
        ApiError: `subscription_data` or `payment_method_collection`.
    """
    for name in sorted(PARAMETERS & params.keys()):
        raise ApiError(
            f"You can only pass `{name}` in `subscription` mode.", param=name
        )


def opened(context: Context, session_id: str, params: Json) -> Json:
    """Return the fields of a new session; the subscription comes when it is paid."""
    items = line_items.add(context, session_id, params["line_items"], recurring=True)
    currency = items[0]["currency"]
    discount = discounting.of_session(context, params, currency=currency)
    if _has_trial(params):
        totals = line_items.totals([])
    else:
        totals = line_items.totals(line_items.discounted(context, items, discount))
    return totals | {
        "currency": currency,
        "discounts": [discount] if discount else [],
        "invoice_creation": None,
        "payment_method_collection": "always",
        "payment_status": "unpaid",
    }


def _has_trial(params: Json) -> bool:
    data = params.get("subscription_data", {})
    return "trial_end" in data or "trial_period_days" in data
