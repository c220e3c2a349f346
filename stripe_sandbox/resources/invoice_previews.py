"""Previews: what would be billed, found by doing it and taking it back."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import customers, invoice_items
from stripe_sandbox.resources.fields import refuse_unsupported
from stripe_sandbox.subscribing import (
    changing,
    ending,
    notice,
    redemptions,
    renewing,
    starting,
)
from stripe_sandbox.subscribing import items as subscription_items

_SUPPORTED = frozenset({"currency", "customer", "discounts", "invoice_items",
                        "preview_mode", "subscription",
                        "subscription_details"})  # fmt: skip
_DETAILS = frozenset({
    "billing_cycle_anchor", "billing_mode", "cancel_at", "cancel_at_period_end",
    "items", "metadata", "proration_behavior", "proration_date", "trial_end",
})  # fmt: skip
_CHANGES = frozenset({"billing_cycle_anchor", "items", "trial_end"})


@operation("POST", "/v1/invoices/create_preview")
def create_preview(context: Context, params: Json) -> Json:
    """Return the invoice that a change, a renewal or a new subscription would make."""
    refuse_unsupported("previews", params, _SUPPORTED)
    details = params.get("subscription_details", {})
    refuse_unsupported("previews", details, _DETAILS)
    if params.get("preview_mode", "next") != "next":
        refuse_unsupported("previews", params, _SUPPORTED - {"preview_mode"})
    with context.store.rehearsal():
        if "subscription" in params:
            invoice = _of_existing(context, params, details)
        else:
            invoice = _of_new(context, params, details)
    return renewing.as_upcoming(invoice)


def _of_existing(context: Context, params: Json, details: Json) -> Json:
    name = "subscription"
    subscription = context.fetch(name, params["subscription"], param=name)
    context = context.following(subscription)
    if subscription["status"] in ending.ENDED:
        raise _nothing_upcoming(subscription["customer"])
    owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
    for item in params.get("invoice_items", []):
        invoice_items.create(context, item | owner)
    plain = notice.values(context, subscription, details)
    if "discounts" in params:
        given = params["discounts"]
        plain["discounts"] = redemptions.replaced(context, subscription, given)
    subscription = context.change(subscription, **plain)
    if details.keys() & _CHANGES or notice.moves_end(subscription):
        change = changing.planned(context, subscription, details)
        invoice = changing.billed(context, subscription, change)
        if invoice:
            return invoice
        subscription = changing.applied(context, subscription, change.values, None)
    return _of_renewal(context, subscription)


def _of_renewal(context: Context, subscription: Json) -> Json:
    _, end = subscription_items.period_of(subscription)
    if not ending.is_due(context.at(end), subscription):
        return renewing.next_invoice(context.at(end), subscription)
    invoice = ending.final_draft(context.at(end), subscription)
    if invoice is None:
        raise _nothing_upcoming(subscription["customer"])
    return invoice


def _of_new(context: Context, params: Json, details: Json) -> Json:
    if "customer" not in params:
        raise ApiError(
            "You must specify either `customer` or `subscription`.",
            code="parameter_missing",
        )
    customer = customers.existing(context, params["customer"], param="customer")
    if not details.get("items"):
        raise _nothing_upcoming(customer["id"])
    wanted = details | {"discounts": params.get("discounts", [])}
    _, invoice = starting.begin(context.following(customer), customer, wanted)
    return invoice


def _nothing_upcoming(customer_id: str) -> ApiError:
    return ApiError(
        f"No upcoming invoices for customer: {customer_id}",
        status=404,
        code="invoice_upcoming_none",
    )
