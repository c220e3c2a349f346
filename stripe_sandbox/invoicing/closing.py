"""Ends of an invoice other than being paid by card."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import collecting


def void(context: Context, invoice: Json) -> Json:
    """Void an open or uncollectible invoice; what it took of the balance returns."""
    _cancel_payment(context, invoice)
    voided = _close(context, invoice, "void", "voided_at")
    _return_balance(context, invoice)
    context.emit("invoice.voided", voided)
    return voided


def mark_uncollectible(context: Context, invoice: Json) -> Json:
    """Write an open invoice off."""
    written_off = _close(context, invoice, "uncollectible", "marked_uncollectible_at")
    context.emit("invoice.marked_uncollectible", written_off)
    return written_off


def pay_out_of_band(context: Context, invoice: Json) -> Json:
    """Mark an invoice as paid by other means than Stripe's."""
    _cancel_payment(context, invoice)
    due = invoice["amount_due"]
    return collecting.mark_paid(context, invoice, due, out_of_band=True)


def stop_collecting(context: Context, invoice: Json) -> Json:
    """Leave a draft or open invoice as it is: nothing is tried by itself any more."""
    return context.change(
        invoice,
        event="invoice.updated",
        auto_advance=False,
        automatically_finalizes_at=None,
        next_payment_attempt=None,
    )


def _close(context: Context, invoice: Json, status: str, stamp: str) -> Json:
    return context.change(
        invoice,
        event="invoice.updated",
        auto_advance=False,
        next_payment_attempt=None,
        status=status,
        status_transitions=invoice["status_transitions"] | {stamp: context.now},
    )


def _cancel_payment(context: Context, invoice: Json) -> None:
    intent = collecting.intent_of(context, invoice)
    if intent is None or intent["status"] in ("canceled", "succeeded"):
        return
    canceled = context.change(
        intent,
        canceled_at=context.now,
        cancellation_reason="void_invoice",
        next_action=None,
        status="canceled",
    )
    context.emit("payment_intent.canceled", canceled)
    collecting.close_payment(context, invoice, "canceled")


def _return_balance(context: Context, invoice: Json) -> None:
    taken = invoice["ending_balance"] - invoice["starting_balance"]
    customer = context.fetch("customer", invoice["customer"])
    balance = customer["balance"] - taken
    context.change(customer, event="customer.updated", balance=balance)
