"""What is written down and told when money goes back, or fails to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts import auditing, notifying
from billing.models import RefundState
from billing.payments import PaymentKind

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Refund
    from billing.payments import Payment


def tell(refund: Refund, payment: Payment, *, at: datetime) -> None:
    """Write a refund's new state into the audit trail, and to who hears about money.

    They hear once that money goes back, and once if it then does not.
    """
    auditing.record(
        action=f"refund.{refund.state.lower()}",
        actor="stripe",
        account=payment.account,
        target=refund.public_id,
        after={
            "payment": payment.public_id,
            "cents": refund.amount_cents,
            "credits_removed": refund.credits_removed,
            "debt_credits": refund.debt_credits,
        },
        reason=refund.failure,
        at=at,
    )
    has_failed = refund.state == RefundState.FAILED
    notifying.notify(
        kind="refund_failed" if has_failed else "refund_made",
        key=f"refund:{refund.pk}:{'failed' if has_failed else 'made'}",
        recipients=_recipients(payment, refund),
        context={
            "refund": refund,
            "payment": payment,
            "page_url": settings.BASE_URL + _page(payment),
            "time_zone": payment.account.time_zone,
        },
        account=payment.account,
        at=at,
    )


def _recipients(payment: Payment, refund: Refund) -> list[str]:
    others = notifying.billing_recipients(payment.account)
    if refund.purchase is None:
        return others
    buyer = refund.purchase.buyer.email
    return [buyer, *(other for other in others if other != buyer)]


def _page(payment: Payment) -> str:
    if payment.kind is PaymentKind.PURCHASE:
        return reverse("billing:purchase", args=[payment.public_id])
    return reverse("billing:invoices")
