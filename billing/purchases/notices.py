"""What is written down and told when something happens to a purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts import auditing, notifying

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Purchase


def record_change(
    action: str, purchase: Purchase, *, at: datetime, reason: str = ""
) -> None:
    """Write what Stripe's answer changed into the audit trail."""
    auditing.record(
        action=action,
        actor="stripe",
        account=purchase.account,
        target=purchase.public_id,
        after={"blocks": purchase.blocks_paid, "cents": purchase.paid_cents},
        reason=reason,
        at=at,
    )


def write_notice(kind: str, purchase: Purchase, *, at: datetime) -> None:
    """Write an e-mail about a paid purchase to its buyer and who hears about money."""
    buyer = purchase.buyer.email
    others = notifying.billing_recipients(purchase.account)
    page = reverse("billing:purchase", args=[purchase.public_id])
    notifying.notify(
        kind=kind,
        key=f"purchase:{purchase.pk}:{kind}",
        recipients=[buyer, *(other for other in others if other != buyer)],
        context={
            "purchase": purchase,
            "credits": (purchase.blocks_paid or 0) * purchase.offer.credits,
            "purchase_url": f"{settings.BASE_URL}{page}",
            "time_zone": purchase.account.time_zone,
        },
        account=purchase.account,
        at=at,
    )
