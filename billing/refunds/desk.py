"""What the refund desk of the staff console shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, IntegerField, Value, When

from billing.core.refunds import unspent_cents
from billing.models import Refund, RefundState
from billing.refunds import figures

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.refunds import Paid
    from billing.payments import Payment

LEVELS = {
    RefundState.ASKED: "info",
    RefundState.PENDING: "info",
    RefundState.DONE: "success",
    RefundState.FAILED: "danger",
}


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as staff see it: what is left of it, and what went back."""

    payment: Payment
    paid: Paid
    unspent_cents: int
    refunds: tuple[Refund, ...]


def refunds(*, limit: int) -> list[Refund]:
    """Return refunds, those that failed first, then the newest."""
    is_failed = Case(
        When(state=RefundState.FAILED, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    listed = Refund.objects.select_related(
        "account", "purchase", "invoice", "debt_payment", "requested_by"
    )
    return list(listed.order_by(is_failed, "-asked_at", "-pk")[:limit])


def waiting(_at: datetime) -> int:
    """Return how many refunds failed, so that the money has to go back otherwise."""
    return Refund.objects.filter(state=RefundState.FAILED).count()


def payment_view(payment: Payment) -> PaymentView:
    """Return what staff are shown of a payment."""
    paid = figures.paid_by(payment)
    made = Refund.objects.filter(**payment.row).select_related("requested_by")
    return PaymentView(
        payment=payment,
        paid=paid,
        unspent_cents=unspent_cents(paid),
        refunds=tuple(made.order_by("-asked_at", "-pk")),
    )
