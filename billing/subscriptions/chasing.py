"""Purchases and plans that nobody heard of for too long: the sweeper's part."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing import stripe_gateway
from billing.models import (
    Dispute,
    Invoice,
    InvoiceStatus,
    Purchase,
    Subscription,
)
from billing.purchases import purchasing, settling
from billing.webhooks import inbox

if TYPE_CHECKING:
    from datetime import datetime

_PAUSE = timedelta(hours=1)
_PAYABLE = (InvoiceStatus.DRAFT, InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE)


def due_purchases(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of purchases that it is time to look after, longest due first."""
    due = Purchase.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after(*, purchase_id: int, at: datetime) -> None:
    """Bring a purchase that is due a step further; of many that try, one does.

    Raises:
        StripeUnavailable: it is due again later.
    """
    purchase = Purchase.objects.select_related("account", "offer", "buyer").get(
        pk=purchase_id
    )
    if not _claim(purchase, at):
        return
    if purchase.stripe_session_id:
        settling.settle(session_id=purchase.stripe_session_id, at=at)
    else:
        purchasing.open_checkout(purchase, at=at)


def _claim(purchase: Purchase, at: datetime) -> bool:
    """Move its time forward before the work, so that failing cannot spin."""
    unclaimed = Purchase.objects.filter(
        pk=purchase.pk, next_check_at=purchase.next_check_at, next_check_at__lte=at
    )
    next_check_at = purchasing.next_check(purchase, at=at)
    return unclaimed.update(next_check_at=next_check_at) == 1


def due_subscriptions(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of subscriptions that should have been heard of by now."""
    due = Subscription.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after_subscription(*, subscription_id: int, at: datetime) -> None:
    """Ask Stripe about a subscription and its bills; void what is open after its end.

    Of many that try, one does. Nothing here decides what is: the inbox does.

    Raises:
        StripeUnavailable: it is due again later.

    Source: docs/rules.md R64.
    """
    unclaimed = Subscription.objects.filter(pk=subscription_id, next_check_at__lte=at)
    if not unclaimed.update(next_check_at=at + _PAUSE):
        return
    stripe_id = _stripe_id(subscription_id)
    inbox.look_again(object_kind="subscription", object_id=stripe_id, at=at)
    for invoice_id in _unsettled(stripe_gateway.invoice_ids_of(stripe_id)):
        inbox.look_again(object_kind="invoice", object_id=invoice_id, at=at)
    ended = Subscription.objects.filter(pk=subscription_id, ended_at__isnull=False)
    if ended.exists() and _void_open_bills(subscription_id, at):
        ended.update(next_check_at=None)


def due_disputes(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of disputes that should have been heard of by now."""
    due = Dispute.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after_dispute(*, dispute_id: int, at: datetime) -> None:
    """Look again at a dispute that is open, or that waits for running jobs (R83).

    Of many that try, one does.
    """
    unclaimed = Dispute.objects.filter(pk=dispute_id, next_check_at__lte=at)
    if unclaimed.update(next_check_at=at + _PAUSE):
        stripe_id = Dispute.objects.get(pk=dispute_id).stripe_dispute_id
        inbox.look_again(object_kind="dispute", object_id=stripe_id, at=at)


def _stripe_id(subscription_id: int) -> str:
    subscription = Subscription.objects.get(pk=subscription_id)
    return subscription.stripe_subscription_id or ""


def _unsettled(invoice_ids: list[str]) -> list[str]:
    over = (InvoiceStatus.PAID, InvoiceStatus.VOID)
    known = Invoice.objects.filter(stripe_invoice_id__in=invoice_ids, status__in=over)
    settled = set(known.values_list("stripe_invoice_id", flat=True))
    return [invoice_id for invoice_id in invoice_ids if invoice_id not in settled]


def _void_open_bills(subscription_id: int, at: datetime) -> bool:
    """Void what could still be paid for nothing; say whether nothing is left."""
    payable = Invoice.objects.filter(
        subscription_id=subscription_id, status__in=_PAYABLE
    )
    for invoice in payable.exclude(status=InvoiceStatus.DRAFT):
        number = purchasing.attempt(invoice.created_at, at=at)
        stripe_gateway.void_invoice(
            invoice.stripe_invoice_id, key=f"void:{invoice.pk}:{number}"
        )
        inbox.look_again(
            object_kind="invoice", object_id=invoice.stripe_invoice_id, at=at
        )
    return not payable.exists()
