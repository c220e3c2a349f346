"""Terms and months whose payment a bank asks back, or has taken back (R85)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, Min, OuterRef

from billing.models import CHARGED_BACK, Dispute, DisputeEffect

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Subscription

# R85: no month comes of a payment that a bank asks back, or has taken back.
PAYMENT_STANDS = ~Exists(
    Dispute.objects.filter(invoice=OuterRef("invoice"), status__in=CHARGED_BACK)
)


# Of a month: the bank has taken back what was paid for it, for good.
IS_LOST = Exists(
    Dispute.objects.filter(invoice=OuterRef("invoice"), effect=DisputeEffect.TAKEN)
)


def charged_back_at(subscription: Subscription) -> datetime | None:
    """Return since when the payment of a plan's last term is disputed or lost (R85)."""
    if subscription.paid_until is None:
        return None
    of_last_term = Dispute.objects.filter(
        invoice__cycles__subscription=subscription,
        invoice__cycles__ends_at=subscription.paid_until,
        status__in=CHARGED_BACK,
    )
    first: datetime | None = of_last_term.aggregate(first=Min("opened_at"))["first"]
    return first
