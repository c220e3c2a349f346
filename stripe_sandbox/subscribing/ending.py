"""Ends of a subscription: now, at the end of a period, or because nobody paid."""

from __future__ import annotations

from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import closing, collecting, drafts, finalizing
from stripe_sandbox.invoicing.drafts import Wanted
from stripe_sandbox.resources import invoice_items
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing import pending, proration

ENDED = ("canceled", "incomplete_expired")


def is_due(context: Context, subscription: Json) -> bool:
    """Whether a subscription ends at the present moment instead of going on."""
    at = subscription["cancel_at"]
    return subscription["cancel_at_period_end"] or (
        at is not None and at <= context.now
    )


def cancel(
    context: Context, subscription: Json, *, prorate: bool, invoice_now: bool
) -> Json:
    """End a subscription now, with credit for unused time if asked for."""
    if prorate:
        _credit(context, subscription)
    elif not invoice_now:
        _drop_pending_prorations(context, subscription)
    return end(context, subscription, invoices=invoice_now)


def end(context: Context, subscription: Json, *, invoices: bool = True) -> Json:
    """End a subscription; `invoices` bills what is still pending for it."""
    first_unpaid = subscription["status"] == "incomplete"
    pending.discard(context, subscription)
    _stop_invoices(context, subscription, void=first_unpaid)
    subscription = context.fetch("subscription", subscription["id"])
    ended = context.change(
        subscription,
        canceled_at=subscription["canceled_at"] or context.now,
        cancellation_details=_reasoned(subscription),
        ended_at=context.now,
        status="canceled",
    )
    context.emit("customer.subscription.deleted", ended)
    return _with_final_invoice(context, ended) if invoices else ended


@task("expire_incomplete")
def expire_incomplete(context: Context, subscription_id: str) -> None:
    """Give up a subscription whose first invoice was not paid within 23 hours."""
    subscription = context.fetch("subscription", subscription_id)
    if subscription["status"] != "incomplete":
        return
    _stop_invoices(context, subscription, void=True)
    context.change(
        subscription,
        event="customer.subscription.updated",
        ended_at=context.now,
        status="incomplete_expired",
    )


def invoices_of(context: Context, subscription: Json, *statuses: str) -> list[Json]:
    """Return the invoices of a subscription in these states, oldest first."""
    found = context.store.find("invoice", customer=subscription["customer"])
    return [
        invoice
        for invoice in found
        if invoice["status"] in statuses and invoice["parent"]
        if collecting.subscription_id_of(invoice) == subscription["id"]
    ]


def final_draft(context: Context, subscription: Json) -> Json | None:
    """Draft the invoice of what is still pending for a subscription that ends."""
    customer = context.fetch("customer", subscription["customer"])
    waiting = invoice_items.pending_of(
        context, customer["id"], subscription=subscription["id"], others=False
    )
    if not waiting:
        return None
    start, _ = subscription_items.period_of(subscription)
    wanted = Wanted(
        customer=customer,
        reason="subscription_update",
        currency=subscription["currency"],
        period=(start, context.now),
        subscription=subscription,
        items=waiting,
    )
    return drafts.draft(context, wanted)


def _credit(context: Context, subscription: Json) -> None:
    for item in subscription_items.of(subscription):
        for values in proration.credits_for(context, subscription, item, context.now):
            invoice_items.add(context, values)


def _drop_pending_prorations(context: Context, subscription: Json) -> None:
    waiting = invoice_items.pending_of(
        context,
        subscription["customer"],
        subscription=subscription["id"],
        others=False,
    )
    for item in waiting:
        if item["proration"]:
            invoice_items.remove(context, item)


def _stop_invoices(context: Context, subscription: Json, *, void: bool) -> None:
    for invoice in invoices_of(context, subscription, "draft", "open"):
        if void and invoice["status"] == "open":
            closing.void(context, invoice)
        else:
            closing.stop_collecting(context, invoice)


def _reasoned(subscription: Json) -> Json:
    details: Json = subscription["cancellation_details"]
    return details | {"reason": details["reason"] or "cancellation_requested"}


def _with_final_invoice(context: Context, subscription: Json) -> Json:
    invoice = final_draft(context, subscription)
    if invoice is None:
        return subscription
    context.change(subscription, latest_invoice=invoice["id"])
    invoice = finalizing.finalize(context, invoice, auto_advance=True)
    if invoice["status"] == "open":
        collecting.collect_automatically(context, invoice)
    return context.fetch("subscription", subscription["id"])
