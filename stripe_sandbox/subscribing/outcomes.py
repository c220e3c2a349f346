"""What the payment of an invoice, or its failure, does to the subscription."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.reactions import reaction
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import collecting, retrying
from stripe_sandbox.subscribing import changing, ending, pending

_UPDATED = "customer.subscription.updated"
_WAITING_FOR_MONEY = ("incomplete", "past_due", "unpaid")


@reaction("invoice.paid")
def on_paid(context: Context, invoice: Json) -> None:
    """Begin or resume what was waiting for the money."""
    subscription = collecting.subscription_of(context, invoice)
    if subscription is None:
        return
    values = pending.waiting_for(context, subscription, invoice)
    if values:
        _apply_pending(context, subscription, values, invoice)
    elif subscription["status"] in _WAITING_FOR_MONEY and not _owes(
        context, subscription
    ):
        card = _card_to_keep(context, subscription, invoice)
        context.change(subscription, event=_UPDATED, status="active", **card)


@reaction("invoice.payment_failed")
def on_failed(context: Context, invoice: Json) -> None:
    """Fall behind; after the last retry, do as is declared."""
    subscription = collecting.subscription_of(context, invoice)
    if subscription is None or subscription["status"] in ending.ENDED:
        return
    latest = subscription["latest_invoice"] == invoice["id"]
    optional = pending.waiting_for(context, subscription, invoice)
    if latest and subscription["status"] == "active" and not optional:
        subscription = context.change(subscription, event=_UPDATED, status="past_due")
    if invoice["auto_advance"] and invoice["next_payment_attempt"] is None:
        _give_up(context, subscription)


@reaction("invoice.marked_uncollectible")
@reaction("invoice.voided")
def on_written_off(context: Context, invoice: Json) -> None:
    """Nothing is owed any more, so nothing is past due."""
    subscription = collecting.subscription_of(context, invoice)
    if subscription is None or subscription["status"] != "past_due":
        return
    if not ending.invoices_of(context, subscription, "draft", "open"):
        context.change(subscription, event=_UPDATED, status="active")


def _owes(context: Context, subscription: Json) -> bool:
    """Whether the latest invoice, by which the status goes, is still to be paid."""
    latest = context.fetch("invoice", subscription["latest_invoice"])
    return latest["status"] in ("draft", "open")


def _apply_pending(
    context: Context, subscription: Json, values: Json, invoice: Json
) -> None:
    values = values | {"pending_update": None}
    subscription = changing.applied(context, subscription, values, invoice)
    context.emit("customer.subscription.pending_update_applied", subscription)


def _card_to_keep(context: Context, subscription: Json, invoice: Json) -> Json:
    settings = subscription["payment_settings"]
    intent = collecting.intent_of(context, invoice)
    if settings["save_default_payment_method"] != "on_subscription" or intent is None:
        return {}
    return {"default_payment_method": intent["payment_method"]}


def _give_up(context: Context, subscription: Json) -> None:
    then = retrying.afterwards(context.store)
    if then == "unpaid":
        context.change(subscription, event=_UPDATED, status="unpaid")
    elif then == "cancel":
        details = subscription["cancellation_details"] | {"reason": "payment_failed"}
        subscription = context.change(subscription, cancellation_details=details)
        ending.end(context, subscription, invoices=False)
