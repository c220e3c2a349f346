"""What the hosted page does in mode `subscription`: subscribe, and pay for it."""

from __future__ import annotations

from stripe_sandbox import charging
from stripe_sandbox.buyers import Buyer
from stripe_sandbox.checkout_completion import complete
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import collecting, finalizing
from stripe_sandbox.resources import customers, line_items, payment_methods
from stripe_sandbox.subscribing import ending, starting


def subscribe(context: Context, session: Json, method: Json, buyer: Buyer) -> Json:
    """Subscribe the buyer; the session stays open when 3DS is asked for.

    Raises:
        ApiError: the card was declined (402); the session stays open.
    """
    session = _with_customer(context, session, buyer)
    customer = context.fetch("customer", session["customer"])
    context = context.following(customer)
    context.store.note(
        session["id"], buyer=[buyer.email, buyer.name], card=method["id"]
    )
    # Declined, nothing of the subscription remains, as on Stripe's page.
    with charging.all_or_failed_charge(context):
        invoice = _first_invoice(context, session, customer)
        if invoice["status"] == "open":  # what is paid with is attached by that
            invoice = collecting.collect(context, invoice, method["id"])
        else:
            payment_methods.attach_to(context, method, customer["id"])
    return _finish(context, session, invoice)


def answer_challenge(context: Context, session: Json, *, passed: bool) -> Json:
    """Go on after the 3DS challenge.

    Raises:
        ApiError: it failed, or the bank declined (402); the session stays open.
    """
    context = context.following(context.fetch("customer", session["customer"]))
    invoice = _kept_invoice(context, session)
    intent = waiting_intent(context, session)
    if intent is None or invoice is None:
        return session
    if not passed:
        raise charging.fail_authentication(context, intent)
    charging.attempt(context, intent, on_session=True, authenticated=True)
    return _finish(context, session, context.fetch("invoice", invoice["id"]))


def waiting_intent(context: Context, session: Json) -> Json | None:
    """Return the intent that waits for the buyer's 3DS challenge."""
    invoice = _kept_invoice(context, session)
    intent = collecting.intent_of(context, invoice) if invoice else None
    return intent if intent and intent["status"] == "requires_action" else None


def _with_customer(context: Context, session: Json, buyer: Buyer) -> Json:
    if session["customer"]:
        return session
    customer = customers.create(context, {"email": buyer.email, "name": buyer.name})
    return context.change(session, customer=customer["id"])


def _first_invoice(context: Context, session: Json, customer: Json) -> Json:
    """The invoice to pay; a subscription that a failed challenge left is used again."""
    kept = _kept_invoice(context, session)
    left = collecting.subscription_of(context, kept) if kept else None
    if kept and left and left["status"] == "incomplete":
        if kept["total"] == session["amount_total"]:
            return kept
        ending.end(context, left, invoices=False)
    wanted = context.store.notes(session["id"])["subscription_data"] | {
        "discounts": [_named(discount) for discount in session["discounts"]],
        "items": [
            {"price": item["price"]["id"], "quantity": item["quantity"]}
            for item in line_items.of(context, session["id"])
        ],
    }
    _, invoice = starting.begin(context, customer, wanted)
    context.store.note(session["id"], invoice=invoice["id"])
    return finalizing.finalize(context, invoice, auto_advance=False)


def _named(discount: Json) -> Json:
    """A code names its coupon."""
    kind = "promotion_code" if discount["promotion_code"] else "coupon"
    return {kind: discount[kind]}


def _kept_invoice(context: Context, session: Json) -> Json | None:
    invoice_id = context.store.notes(session["id"]).get("invoice")
    return context.fetch("invoice", invoice_id) if invoice_id else None


def _finish(context: Context, session: Json, invoice: Json) -> Json:
    if invoice["status"] != "paid":
        return session
    free = invoice["amount_paid"] == 0
    subscription_id = collecting.subscription_id_of(invoice)
    context.change(
        context.fetch("subscription", str(subscription_id)),
        event="customer.subscription.updated",
        default_payment_method=context.store.notes(session["id"])["card"],
    )
    return complete(
        context,
        session,
        invoice=invoice["id"],
        payment_status="no_payment_required" if free else "paid",
        subscription=subscription_id,
    )
