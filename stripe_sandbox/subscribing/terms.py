"""What a new subscription's parameters amount to: its items, first period and trial."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.fields import metadata
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing import notice, redemptions
from stripe_sandbox.subscribing.calendar import DAY_S, boundary_after
from stripe_sandbox.subscribing.items import Period

_TRIAL_S_MAX = 731 * DAY_S
_BLANK: Json = {
    "cancel_at": None,
    "cancel_at_period_end": False,
    "cancellation_details": {
        "comment": None,
        "feedback": None,
        "feedback_option": None,
        "reason": None,
    },
    "collection_method": "charge_automatically",
    "invoice_settings": {"issuer": {"account": None, "type": "self"}},
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """When a subscription begins to count."""

    anchor: int
    period: Period
    trial_end: int | None


def values(context: Context, customer: Json, params: Json) -> Json:
    """Return the fields of a new subscription.

    Raises:
        ApiError: the parameters do not make one.
    """
    if not params.get("items"):
        raise missing_parameter("items")
    subscription_id = new_id("sub")
    items = subscription_items.added(context, subscription_id, params["items"])
    beginning = _beginning(context, items, params)
    items = subscription_items.in_period(items, beginning.period)
    subscription = _BLANK | {
        "id": subscription_id,
        "billing_cycle_anchor": beginning.anchor,
        "billing_mode": _billing_mode(context, params),
        "currency": items[0]["price"]["currency"],
        "customer": customer["id"],
        "default_payment_method": _card(context, customer, params),
        "description": params.get("description"),
        "discounts": [],
        "items": subscription_items.listed(items, subscription_id),
        "metadata": metadata(params.get("metadata")),
        "payment_settings": payment_settings(params),
        "start_date": context.now,
        "status": "trialing" if beginning.trial_end else "incomplete",
        "test_clock": customer["test_clock"],
        "trial_end": beginning.trial_end,
        "trial_settings": trial_settings(params),
        "trial_start": context.now if beginning.trial_end else None,
    }
    subscription["discounts"] = redemptions.replaced(
        context, subscription, params.get("discounts", [])
    )
    return _with_notice(context, subscription, params)


def payment_settings(params: Json, before: Json | None = None) -> Json:
    """Return the payment settings; cards are the only method anyway.

    Raises:
        ApiError: a setting that the sandbox would have to ignore.
    """
    given = params.get("payment_settings", {})
    if "payment_method_options" in given:
        raise not_in_the_sandbox("`payment_settings[payment_method_options]`")
    types = given.get("payment_method_types") or ["card"]
    if "card" not in types:
        raise not_in_the_sandbox("A subscription without cards")
    default: Json = {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    }
    settings: Json = (before or default) | given
    return settings


def trial_settings(params: Json) -> Json:
    """Return what happens when a trial ends without a card."""
    behavior: Json = {
        "billing_cycle_anchor": None,
        "missing_payment_method": "create_invoice",
    }
    given = params.get("trial_settings", {}).get("end_behavior", {})
    return {"end_behavior": behavior | given}


def trial_end_of(context: Context, given: int | str | None) -> int | None:
    """Return the end of a trial; `now` means there is none.

    Raises:
        ApiError: it is not in the future, or more than two years away.
    """
    if given is None or given == "now":
        return None
    end = int(given)
    if end <= context.now:
        raise ApiError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.",
            param="trial_end",
        )
    if end - context.now > _TRIAL_S_MAX:
        raise ApiError(
            "Invalid timestamp: can be no more than two years in the future.",
            param="trial_end",
        )
    return end


def _with_notice(context: Context, subscription: Json, params: Json) -> Json:
    subscription |= notice.values(context, subscription, params)
    start, end = subscription_items.period_of(subscription)
    period = start, subscription_items.held(subscription, end)
    items = subscription_items.in_period(subscription_items.of(subscription), period)
    return subscription | {
        "items": subscription_items.listed(items, subscription["id"])
    }


def _beginning(context: Context, items: list[Json], params: Json) -> Beginning:
    trial_end = trial_end_of(context, params.get("trial_end"))
    if "trial_period_days" in params:
        trial_end = context.now + params["trial_period_days"] * DAY_S
    if trial_end:
        return Beginning(trial_end, (context.now, trial_end), trial_end)
    recurring = subscription_items.recurring_of(items)
    natural_end = boundary_after(context.now, recurring, context.now)
    anchor = params.get("billing_cycle_anchor", context.now)
    if anchor < context.now:
        raise ApiError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.",
            param="billing_cycle_anchor",
        )
    if anchor > natural_end:
        raise ApiError(
            "billing_cycle_anchor cannot be later than next natural billing date"
            f" ({natural_end}) for plan",
            param="billing_cycle_anchor",
        )
    end = boundary_after(anchor, recurring, context.now)
    return Beginning(anchor, (context.now, end), None)


def _billing_mode(context: Context, params: Json) -> Json:
    given = params.get("billing_mode", {"type": "flexible"})
    if given["type"] != "flexible":
        raise not_in_the_sandbox("Billing mode `classic`")
    if given.get("flexible", {}).get("proration_discounts") == "itemized":
        raise not_in_the_sandbox("`proration_discounts` itemized")
    return {
        "flexible": {"proration_discounts": "included"},
        "type": "flexible",
        "updated_at": context.now,
    }


def _card(context: Context, customer: Json, params: Json) -> str | None:
    given = params.get("default_payment_method")
    return card_of_customer(context, customer["id"], given) if given else None


def card_of_customer(context: Context, customer_id: str, given: str) -> str:
    """Return the id of a card that is attached to the customer.

    Raises:
        ApiError: it is not.
    """
    method = payment_methods.resolve(context, given, param="default_payment_method")
    if method["customer"] != customer_id:
        raise payment_methods.not_attached(method["id"], param="default_payment_method")
    return str(method["id"])
