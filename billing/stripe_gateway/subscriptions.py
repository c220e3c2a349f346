"""Subscriptions, as Stripe says they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import id_of, instant, noted
from billing.stripe_gateway.schedules import scheduled_lookup_key

if TYPE_CHECKING:
    from datetime import datetime

    import stripe


@dataclass(frozen=True, slots=True)
class StripeSubscription:
    """A subscription to one price. `status` is Stripe's own word.

    `account` and `change` are our ids in its metadata; "" where it is not ours.
    The pending price is one whose payment is still missing: it is not in force. The
    scheduled one begins with the next term.
    """

    id: str
    status: str
    account: str
    change: str
    customer_id: str
    item_id: str
    lookup_key: str
    started_at: datetime
    period_starts_at: datetime
    period_ends_at: datetime
    anchor_at: datetime
    cancel_at: datetime | None
    ended_at: datetime | None
    schedule_id: str
    scheduled_lookup_key: str
    pending_lookup_key: str
    pending_until: datetime | None
    latest_invoice_id: str


def subscription(subscription_id: str) -> StripeSubscription:
    """Return a subscription, also one that has ended.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.subscriptions.retrieve(
            subscription_id, {"expand": ["schedule.phases.items.price"]}
        )
    return read_subscription(found)


def read_subscription(found: stripe.Subscription) -> StripeSubscription:
    """Return what matters here of an answer of the SDK."""
    # Ours have one item; since basil the period is the item's, not the agreement's.
    item = found.items.data[0]
    pending = found.pending_update
    return StripeSubscription(
        id=found.id,
        status=found.status,
        account=noted(found.metadata, "account"),
        change=noted(found.metadata, "change"),
        customer_id=id_of(found.customer),
        item_id=item.id,
        lookup_key=item.price.lookup_key or "",
        started_at=instant(found.start_date),
        period_starts_at=instant(item.current_period_start),
        period_ends_at=instant(item.current_period_end),
        anchor_at=instant(found.billing_cycle_anchor),
        cancel_at=instant(found.cancel_at),
        ended_at=instant(found.ended_at),
        schedule_id=id_of(found.schedule),
        scheduled_lookup_key=scheduled_lookup_key(found.schedule),
        pending_lookup_key=_pending_lookup_key(pending),
        pending_until=instant(pending.expires_at) if pending else None,
        latest_invoice_id=id_of(found.latest_invoice),
    )


def _pending_lookup_key(pending: stripe.Subscription.PendingUpdate | None) -> str:
    items = (pending and pending.subscription_items) or []
    return (items[0].price.lookup_key or "") if items else ""
