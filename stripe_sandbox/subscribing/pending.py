"""Pending updates: changes that wait for their invoice to be paid.

Source: https://docs.stripe.com/billing/subscriptions/pending-updates
"""

from __future__ import annotations

import json

from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import closing
from stripe_sandbox.subscribing import items as subscription_items

EXPIRES_AFTER_S = 23 * 3600


def keep(context: Context, subscription: Json, values: Json, invoice: Json) -> Json:
    """Put new values off until their invoice is paid."""
    _, period_end = subscription_items.period_of(subscription)
    expires_at = min(context.now + EXPIRES_AFTER_S, period_end)
    # As text: a note drops the nulls of a mapping.
    kept = {"pending_invoice": invoice["id"], "pending_values": json.dumps(values)}
    context.store.note(subscription["id"], **kept)
    context.schedule("expire_pending_update", subscription["id"], due_at=expires_at)
    return context.change(
        subscription,
        event="customer.subscription.updated",
        latest_invoice=invoice["id"],
        pending_update={
            "billing_cycle_anchor": values.get("billing_cycle_anchor"),
            "expires_at": expires_at,
            "subscription_items": values["items"]["data"],
            "trial_end": values.get("trial_end"),
            "trial_from_plan": None,
        },
    )


def waiting_for(context: Context, subscription: Json, invoice: Json) -> Json | None:
    """Return the values that wait for an invoice."""
    notes = context.store.notes(subscription["id"])
    if subscription["pending_update"] is None:
        return None
    if notes.get("pending_invoice") != invoice["id"]:
        return None
    values: Json = json.loads(notes["pending_values"])
    return values


def discard(context: Context, subscription: Json) -> Json:
    """Drop a pending update and void its invoice."""
    if subscription["pending_update"] is None:
        return subscription
    invoice_id = context.store.notes(subscription["id"])["pending_invoice"]
    subscription = context.change(subscription, pending_update=None)
    invoice = context.fetch("invoice", invoice_id)
    if invoice["status"] == "open":
        closing.void(context, invoice)
    return context.fetch("subscription", subscription["id"])


@task("expire_pending_update")
def expire(context: Context, subscription_id: str) -> None:
    """Drop a pending update that nobody paid in time."""
    subscription = context.fetch("subscription", subscription_id)
    update = subscription["pending_update"]
    if update is None or update["expires_at"] != context.now:
        return
    expired = discard(context, subscription)
    context.emit("customer.subscription.pending_update_expired", expired)
