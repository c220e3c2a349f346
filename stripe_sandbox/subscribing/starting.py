"""The beginning of a subscription: its first invoice is made and paid at once."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.invoicing import collecting, drafts, finalizing
from stripe_sandbox.invoicing.drafts import Wanted
from stripe_sandbox.resources import invoice_items
from stripe_sandbox.subscribing import proration, redemptions, renewing, terms
from stripe_sandbox.subscribing.period_lines import lines_of

_INCOMPLETE_FOR_S = 23 * 3600


def start(context: Context, customer: Json, params: Json) -> Json:
    """Create a subscription and pay its first invoice as `payment_behavior` says.

    Raises:
        ApiError: no card is known; or with `error_if_incomplete` it was not paid (402).
    """
    behavior = params.get("payment_behavior", "allow_incomplete")
    subscription, invoice = begin(context, customer, params)
    invoice = finalizing.finalize(context, invoice, auto_advance=False)
    if invoice["status"] == "open" and behavior != "default_incomplete":
        pay_first(context, invoice, strictly=behavior == "error_if_incomplete")
    return context.fetch("subscription", subscription["id"])


def begin(context: Context, customer: Json, params: Json) -> tuple[Json, Json]:
    """Create a subscription and the draft of its first invoice; return both."""
    subscription = context.create(
        "subscription", **terms.values(context, customer, params)
    )
    if customer["currency"] is None:
        customer = context.change(customer, currency=subscription["currency"])
    prorates = params.get("proration_behavior") != "none"
    invoice = _first_invoice(context, customer, subscription, prorates=prorates)
    subscription = context.change(
        subscription,
        discounts=redemptions.outlasting(context, subscription, invoice),
        latest_invoice=invoice["id"],
    )
    context.emit("customer.subscription.created", subscription)
    proration.remember_lines(context, subscription["id"], invoice)
    renewing.plan(context, subscription)
    if subscription["status"] == "incomplete":
        due_at = context.now + _INCOMPLETE_FOR_S
        context.schedule("expire_incomplete", subscription["id"], due_at=due_at)
    return subscription, invoice


def pay_first(context: Context, invoice: Json, *, strictly: bool) -> None:
    """Charge the card on file for a first invoice, which is not retried by itself.

    Raises:
        ApiError: there is no card; or, if `strictly`, it was not paid (402).
    """
    method_id = collecting.method_for(context, invoice)
    if method_id is None:
        raise collecting.no_card()
    try:
        invoice = collecting.collect(context, invoice, method_id)
    except ApiError as declined:
        if strictly or not declined.keeps_changes:
            raise
    if strictly and invoice["status"] != "paid":
        raise action_required(context, invoice)


def action_required(context: Context, invoice: Json) -> ApiError:
    """Return the 402 for a payment that waits for the customer's 3DS."""
    return ApiError(
        "Payment for this subscription requires additional user action before it can be"
        " completed successfully. Payment can be completed using the PaymentIntent"
        " associated with `subscription.latest_invoice`.",
        status=402,
        type="card_error",
        code="subscription_payment_intent_requires_action",
        payment_intent=collecting.intent_of(context, invoice),
    )


def _first_invoice(
    context: Context, customer: Json, subscription: Json, *, prorates: bool
) -> Json:
    wanted = Wanted(
        customer=customer,
        reason="subscription_create",
        currency=subscription["currency"],
        period=(context.now, context.now),
        subscription=subscription,
        items=invoice_items.pending_of(context, customer["id"], subscription=None),
        lines=lines_of(context, subscription, prorates=prorates),
    )
    return drafts.draft(context, wanted)
