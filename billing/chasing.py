"""Purchases that nobody heard of for too long: the sweeper's part of buying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import purchasing, refunding, settling
from billing.models import Purchase, PurchaseState

if TYPE_CHECKING:
    from datetime import datetime


def due_purchases(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of purchases that it is time to look after, longest due first."""
    due = Purchase.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after(*, purchase_id: int, at: datetime) -> None:
    """Bring a purchase that is due a step further; of many that try, one does.

    Raises:
        StripeUnavailable: it is due again later.
        RefundFailed: likewise.
    """
    purchase = Purchase.objects.select_related("account", "offer", "buyer").get(
        pk=purchase_id
    )
    if not _claim(purchase, at):
        return
    if purchase.state == PurchaseState.REFUNDING:
        refunding.return_payment(purchase, at=at)
    elif purchase.stripe_session_id:
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
