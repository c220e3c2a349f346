"""Subscriptions: the operations of the API."""

from __future__ import annotations

from stripe_sandbox import charging
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.expansion import included
from stripe_sandbox.engine.listing import Filter, list_of, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources import customers
from stripe_sandbox.resources.fields import refuse_unsupported, updated
from stripe_sandbox.subscribing import (
    changing,
    ending,
    notice,
    outcomes,  # noqa: F401 - importing registers the reactions
    redemptions,
    resuming,
    starting,
    terms,
)

_SHARED = frozenset({
    "cancel_at", "cancel_at_period_end", "collection_method", "default_payment_method",
    "description", "discounts", "items", "metadata", "off_session", "payment_behavior",
    "payment_settings", "proration_behavior", "trial_end", "trial_settings",
})  # fmt: skip
_CREATION = _SHARED | {"billing_cycle_anchor", "billing_mode", "currency", "customer",
                       "trial_period_days"}  # fmt: skip
_UPDATES = _SHARED | {"billing_cycle_anchor", "cancellation_details", "proration_date"}
_BILLING = frozenset({"billing_cycle_anchor", "items", "trial_end"})
_PENDING = _BILLING | {"off_session", "payment_behavior", "proration_behavior",
                       "proration_date"}  # fmt: skip
_LEFT_AFTER_END = frozenset({"cancellation_details", "metadata"})
_UPDATED = "customer.subscription.updated"
_ENDED = {"ended": ending.ENDED, "all": ()}


@operation("POST", "/v1/subscriptions")
def create(context: Context, params: Json) -> Json:
    """Subscribe a customer."""
    refuse_unsupported("Subscriptions", params, _CREATION)
    _check_collection(params)
    if "customer" not in params:
        raise missing_parameter("customer")
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise ApiError(
            "`pending_if_incomplete` is only used with updates and cannot be passed"
            " when creating a Subscription.",
            param="payment_behavior",
        )
    customer = customers.existing(context, params["customer"], param="customer")
    context = context.following(customer)
    with charging.all_or_failed_charge(context):
        return starting.start(context, customer, params)


@operation("GET", "/v1/subscriptions/{subscription_exposed_id}")
def retrieve(context: Context, params: Json, subscription_exposed_id: str) -> Json:
    """Return a subscription."""
    return context.fetch("subscription", subscription_exposed_id)


@operation("POST", "/v1/subscriptions/{subscription_exposed_id}")
def update(context: Context, params: Json, subscription_exposed_id: str) -> Json:
    """Change a subscription; what it costs is collected as `payment_behavior` says."""
    refuse_unsupported("Subscriptions", params, _UPDATES)
    _check_collection(params)
    before = context.fetch("subscription", subscription_exposed_id)
    context = context.following(before)
    _check_update(before, params)
    with charging.all_or_failed_charge(context):
        plain = _plain_values(context, before, params)
        if before["status"] in ending.ENDED:
            return context.change(before, event=_UPDATED, **plain)
        if params.keys() & _BILLING or notice.moves_end(before | plain):
            return changing.changed(context, before, params, plain)
        return context.change(before, event=_UPDATED, **plain)


@operation("DELETE", "/v1/subscriptions/{subscription_exposed_id}")
def cancel(context: Context, params: Json, subscription_exposed_id: str) -> Json:
    """End a subscription now."""
    before = context.fetch("subscription", subscription_exposed_id)
    context = context.following(before)
    if before["status"] in ending.ENDED:
        raise ApiError(
            f"No such subscription: '{subscription_exposed_id}'",
            status=404,
            code="resource_missing",
            param="id",
        )
    details = _cancellation_details(before, params)
    return ending.cancel(
        context,
        context.change(before, cancellation_details=details),
        prorate=params.get("prorate", False),
        invoice_now=params.get("invoice_now", False),
    )


@operation("DELETE", "/v1/subscriptions/{subscription_exposed_id}/discount")
def delete_discount(
    context: Context, params: Json, subscription_exposed_id: str
) -> Json:
    """Take the discount off a subscription."""
    before = context.fetch("subscription", subscription_exposed_id)
    if not before["discounts"]:
        raise ApiError(
            f"No active discount for subscription: {subscription_exposed_id}",
            status=404,
            code="resource_missing",
        )
    discount = context.fetch("discount", before["discounts"][-1])
    left = redemptions.replaced(context.following(before), before, [])
    context.change(before, event=_UPDATED, discounts=left)
    return discount | {"deleted": True}


@operation("POST", "/v1/subscriptions/{subscription}/resume")
def resume(context: Context, params: Json, subscription: str) -> Json:
    """Go on with a paused subscription."""
    before = context.fetch("subscription", subscription)
    return resuming.resume(context.following(before), before, params)


@operation("GET", "/v1/subscriptions")
def list_subscriptions(context: Context, params: Json) -> Json:
    """List subscriptions, newest first; those that ended only when asked for."""
    for name in ("automatic_tax", "current_period_end", "current_period_start", "plan"):
        if name in params:
            raise not_in_the_sandbox(f"`{name}` in the list of subscriptions")
    keep = Filter(
        collection_method=params.get("collection_method"),
        customer=params.get("customer"),
        test_clock=params.get("test_clock"),
    ).created(params.get("created"))
    keep.where("json_extract(body, '$.deleted') IS NULL")
    _by_status(keep, params.get("status"))
    if "price" in params:
        keep.where(
            "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') WHERE"
            " json_extract(value, '$.price.id') = ?)",
            params["price"],
        )
    return page(context, "subscription", params, url="/v1/subscriptions", keep=keep)


@included("customer", "subscriptions")
def subscriptions_of(context: Context, customer: Json) -> Json:
    """Return the subscriptions of a customer that did not end."""
    url = f"/v1/customers/{customer['id']}/subscriptions"
    found = context.store.find("subscription", customer=customer["id"])
    live = [each for each in found if each["status"] != "canceled"]
    return list_of(live[::-1], url=url)


def _by_status(keep: Filter, status: str | None) -> None:
    if status is None:
        keep.where("json_extract(body, '$.status') <> 'canceled'")
    elif status in _ENDED:
        keep.one_of("status", list(_ENDED[status]))
    else:
        keep.one_of("status", [status])


def _check_collection(params: Json) -> None:
    if params.get("collection_method", "charge_automatically") == "send_invoice":
        raise not_in_the_sandbox("`collection_method` send_invoice")


def _check_update(subscription: Json, params: Json) -> None:
    if subscription["status"] in ending.ENDED and params.keys() - _LEFT_AFTER_END:
        raise ApiError(
            "A canceled subscription can only update its cancellation_details and"
            " metadata."
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        if "discounts" in params:
            raise not_in_the_sandbox("`discounts` in a pending update")
        for name in sorted(params.keys() - _PENDING):
            raise ApiError(
                f"You can't pass `{name}` together with"
                " `payment_behavior=pending_if_incomplete`: it is not among the"
                " attributes that a pending update supports.",
                param=name,
            )
    if subscription["schedule"] and params.keys() & _BILLING:
        raise not_in_the_sandbox("Updating what a schedule manages")
    if subscription["schedule"] and params.keys() & {
        "cancel_at",
        "cancel_at_period_end",
    }:
        raise ApiError(
            "The subscription is managed by the subscription schedule"
            f" `{subscription['schedule']}`, and updating any cancelation behavior"
            " directly is not allowed. Please update the schedule instead."
        )


def _plain_values(context: Context, before: Json, params: Json) -> Json:
    """What costs nothing: metadata, the card, the way it ends."""
    values = updated(before, params, "description")
    if "default_payment_method" in params:
        values["default_payment_method"] = terms.card_of_customer(
            context, before["customer"], params["default_payment_method"]
        )
    if "discounts" in params:
        given = params["discounts"]
        values["discounts"] = redemptions.replaced(context, before, given)
    if "payment_settings" in params:
        values["payment_settings"] = terms.payment_settings(
            params, before["payment_settings"]
        )
    if "trial_settings" in params:
        values["trial_settings"] = terms.trial_settings(params)
    if "cancellation_details" in params:
        values["cancellation_details"] = _cancellation_details(before, params)
    return values | notice.values(context, before | values, params)


def _cancellation_details(before: Json, params: Json) -> Json:
    given = params.get("cancellation_details", {})
    if "feedback_option" in given:
        raise not_in_the_sandbox("`cancellation_details[feedback_option]`")
    told = {name: value or None for name, value in given.items()}
    details: Json = before["cancellation_details"]
    return details | told
