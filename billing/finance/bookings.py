"""What moves money beside the ledger, booked once: where it happens, as it happened.

Draws say what credits cost, Stripe's balance what was paid. Between the two lie taxes,
months that are still to come, and money that went back for credits that were used: each
such thing is one `Booking`, written in the transaction that brings it about, so that
reports need no memory of what rows said at the time. Cents; debits are positive.

Source: docs/adr/0026-owed-credits-are-no-asset.md; docs/rules.md R77-R86, R93, R100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Sum

from billing.core.revenue import left_cents
from billing.models import BOOKED_ACCOUNTS, Booking, BookingKind, Refund, RefundState

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import (
        Cycle,
        DebtPayment,
        Dispute,
        Invoice,
        Purchase,
        Subscription,
    )
    from billing.payments import Payment


def unbegun_cents(cycle: Cycle) -> int:
    """Return what is deferred for a month that has not begun.

    Terms of plans without credits are revenue when they are paid.
    """
    return cycle.price_cents if cycle.credits else 0


def purchase_paid(purchase: Purchase, *, net_cents: int, at: datetime) -> None:
    """Book blocks that were paid: their grant costs the net price (R100, R102)."""
    _book(
        f"purchase:{purchase.pk}",
        BookingKind.PURCHASE,
        purchase,
        (purchase.paid_at or at, at),
        receivable=purchase.paid_cents or 0,
        tax_payable=net_cents - (purchase.paid_cents or 0),
        prepaid=-net_cents,
    )


def purchase_returned(purchase: Purchase, *, at: datetime) -> None:
    """Book a payment that brings nothing: all of it goes back (R42)."""
    cents = purchase.paid_cents or 0
    _book(
        f"purchase:{purchase.pk}",
        BookingKind.PURCHASE,
        purchase,
        (purchase.paid_at or at, at),
        receivable=cents,
        refunds=-cents,
    )


def bill_paid(
    invoice: Invoice, *, prepaid_cents: int, revenue_cents: int = 0, at: datetime
) -> None:
    """Book a paid bill: so much of it pays for months and grants of credits (R100).

    `revenue_cents` is for terms of plans without credits. What is left is neither: the
    proration that Stripe billed beyond the cost of credits.
    """
    _book(
        f"invoice:{invoice.pk}",
        BookingKind.INVOICE,
        invoice,
        (invoice.paid_at or at, at),
        receivable=invoice.due_cents,
        customer_credit=invoice.total_cents - invoice.due_cents,
        tax_payable=-invoice.tax_cents,
        prepaid=-prepaid_cents,
        revenue=-revenue_cents,
        proration=prepaid_cents + revenue_cents - invoice.net_cents,
    )


def bill_returned(invoice: Invoice, *, at: datetime) -> None:
    """Book a bill that was paid too late: all of it goes back (R64)."""
    _book(
        f"invoice:{invoice.pk}",
        BookingKind.INVOICE,
        invoice,
        (invoice.paid_at or at, at),
        receivable=invoice.due_cents,
        customer_credit=invoice.total_cents - invoice.due_cents,
        refunds=-invoice.total_cents,
    )


def debt_paid(payment: DebtPayment, *, rest_cents: int, at: datetime) -> None:
    """Book the payment of a debt; `rest_cents` of it bought new credits (R79)."""
    _book(
        f"debt_payment:{payment.pk}",
        BookingKind.DEBT_PAYMENT,
        payment,
        (payment.paid_at or at, at),
        receivable=payment.cents,
        prepaid=-rest_cents,
        debt_recovered=rest_cents - payment.cents,
    )


def months_brought_in(subscription: Subscription, *, cents: int, at: datetime) -> None:
    """Book months of a plan that somebody pays elsewhere, and not through Stripe."""
    already = Booking.objects.filter(key__startswith=f"months:{subscription.pk}:")
    _book(
        f"months:{subscription.pk}:{already.count()}",
        BookingKind.BROUGHT_IN,
        subscription,
        (at, at),
        brought_in=cents,
        prepaid=-cents,
    )


def pack_brought_in(
    account_id: int, *, pack: str, cents: int, occurred_at: datetime, at: datetime
) -> None:
    """Book a pack of a legacy plan, which was paid elsewhere (R34)."""
    if cents:
        Booking.objects.create(
            key=f"pack:{pack}",
            kind=BookingKind.BROUGHT_IN,
            account_id=account_id,
            reference=pack,
            brought_in=cents,
            prepaid=-cents,
            occurred_at=min(occurred_at, at),
            recorded_at=at,
        )


def months_forfeited(
    subscription: Subscription, *, key: str, cents: int, at: datetime
) -> None:
    """Book paid months that never come because the plan has ended (R33, R58)."""
    _book(
        f"forfeit:{key}",
        BookingKind.FORFEIT,
        subscription,
        (subscription.ended_at or at, at),
        prepaid=cents,
        breakage=-cents,
    )


def refund_made(
    refund: Refund, payment: Payment, *, unbegun: int, at: datetime
) -> None:
    """Book money that goes back: its share of the tax, and `unbegun` cents of months.

    The draws of what it removes take their cost off it again.
    """
    tax = _tax_of(refund, payment)
    _book(
        f"{refund.source_key}:made",
        BookingKind.REFUND,
        refund,
        (refund.asked_at, at),
        receivable=-refund.amount_cents,
        tax_payable=tax,
        prepaid=unbegun,
        refunds=refund.amount_cents - tax - unbegun,
    )


def refund_reclassed(refund: Refund, *, at: datetime) -> None:
    """Book what a refund is for of expired credits: no breakage any more (R86).

    Call it whenever its figures have changed: it books the difference.
    """
    booked = _booked(refund)
    net = refund.amount_cents - booked["tax_payable"]
    due = net * refund.credits_expired // refund.credits if refund.credits else 0
    more = due - booked["breakage"]
    _book(
        f"{refund.source_key}:expired:{refund.credits_expired}",
        BookingKind.REFUND,
        refund,
        (at, at),
        breakage=more,
        refunds=-more,
    )


def refund_undone(refund: Refund, *, at: datetime) -> None:
    """Book that a refund's money has stayed after all (R80)."""
    undone = {account: -cents for account, cents in _booked(refund).items()}
    _book(
        f"{refund.source_key}:undone",
        BookingKind.REFUND_UNDONE,
        refund,
        (at, at),
        **undone,
    )


def unbegun_of(refund: Refund) -> int:
    """Return what a refund took off months that had not begun, in cents."""
    return _booked(refund)["prepaid"]


def dispute_lost(dispute: Dispute, *, unbegun: int, at: datetime) -> None:
    """Book what a bank has taken for good, `unbegun` cents of it of months (R85)."""
    _book(
        f"{dispute.key}:lost",
        BookingKind.DISPUTE,
        dispute,
        (dispute.closed_at or at, at),
        receivable=-dispute.amount_cents,
        prepaid=unbegun,
        dispute_losses=dispute.amount_cents - unbegun,
    )


def _tax_of(refund: Refund, payment: Payment) -> int:
    """Return a refund's share of the tax, so that all of them give back all of it."""
    paid = Booking.objects.filter(key=f"{payment.kind}:{payment.row_id}").first()
    if not paid or not paid.tax_payable or not payment.paid_cents:
        return 0
    others = Refund.objects.filter(
        **payment.row, state__in=(RefundState.PENDING, RefundState.DONE)
    ).exclude(pk=refund.pk)
    before = others.aggregate(cents=Sum("amount_cents"))["cents"] or 0
    return left_cents(
        -paid.tax_payable,
        granted=payment.paid_cents,
        left=payment.paid_cents - before,
    ) - left_cents(
        -paid.tax_payable,
        granted=payment.paid_cents,
        left=payment.paid_cents - before - refund.amount_cents,
    )


def _booked(refund: Refund) -> dict[str, int]:
    ours = Booking.objects.filter(key__startswith=f"{refund.source_key}:")
    sums = ours.aggregate(**{account: Sum(account) for account in BOOKED_ACCOUNTS})
    return {account: cents or 0 for account, cents in sums.items()}


def _book(
    key: str,
    kind: BookingKind,
    row: Purchase | Invoice | DebtPayment | Subscription | Refund | Dispute,
    instants: tuple[datetime, datetime],
    **cents: int,
) -> None:
    """Write a booking, unless it moves nothing: when it happened, when we knew."""
    if not any(cents.values()):
        return
    occurred_at, recorded_at = instants
    Booking.objects.create(
        key=key,
        kind=kind,
        account_id=row.account_id,
        reference=str(getattr(row, "public_id", row.pk)),
        occurred_at=min(occurred_at, recorded_at),
        recorded_at=recorded_at,
        **cents,
    )
