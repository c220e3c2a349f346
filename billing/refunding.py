"""Giving money back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from billing import purchasing, stripe_gateway, telling
from billing.models import Purchase, PurchaseState

if TYPE_CHECKING:
    from datetime import datetime

    from billing.stripe_gateway import Refund


class RefundFailed(stripe_gateway.BillingError):
    """The bank did not take the money back: somebody has to return it otherwise."""


def return_payment(purchase: Purchase, *, at: datetime) -> None:
    """Give the money of a purchase that could not be granted back, once (R42).

    Raises:
        StripeUnavailable: ask again.
        RefundFailed: the money could not be moved.
    """
    # A full refund cannot be made twice, under whatever key.
    number = purchasing.attempt(purchase.paid_at or at, at=at)
    refund = stripe_gateway.refund_payment(
        purchase.stripe_payment_intent_id or "",
        purchase=purchase.public_id,
        key=f"refund:{purchase.pk}:{number}",
    )
    if refund.has_failed:
        message = f"Refund {refund.id} of {purchase.public_id} is {refund.status}."
        raise RefundFailed(message)
    _record(purchase, refund, at=at)


@transaction.atomic
def _record(purchase: Purchase, refund: Refund, *, at: datetime) -> None:
    returning = Purchase.objects.filter(pk=purchase.pk, state=PurchaseState.REFUNDING)
    is_first = returning.update(
        state=PurchaseState.REFUNDED, stripe_refund_id=refund.id, next_check_at=None
    )
    if is_first:
        telling.record_change("purchase.refunded", purchase, at=at)
        telling.write_notice("purchase_refunded", purchase, at=at)
