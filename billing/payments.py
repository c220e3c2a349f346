"""Payments: money that came in under one id of Stripe's, and what it was paid for.

Purchases, bills for plans and payments of debts end here alike, so that refunds,
disputes and reconciliation know one kind of payment. Amounts are cents with tax.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import Sum

from billing.core.periods import MONTHS_IN_YEAR
from billing.models import (
    STANDING,
    Cycle,
    DebtPayment,
    DebtPaymentState,
    Invoice,
    InvoiceStatus,
    PlanChange,
    Purchase,
    Refund,
    RefundState,
)
from billing.stripe_gateway import BillingError
from credits.models import CreditGrant, GrantDraw

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Account


_MOVED = "move:"
_LONGEST_MONTH = timedelta(days=31)


class UnknownPayment(BillingError):
    """It was not settled here, or not yet: who tells of it waits in the inbox (R98)."""


class PaymentKind(StrEnum):
    """What was paid for; also the name of the column that points at its row."""

    PURCHASE = "purchase"
    INVOICE = "invoice"
    DEBT = "debt_payment"


_MODELS: dict[PaymentKind, type[Purchase | Invoice | DebtPayment]] = {
    PaymentKind.PURCHASE: Purchase,
    PaymentKind.INVOICE: Invoice,
    PaymentKind.DEBT: DebtPayment,
}


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid under one payment intent, and the grants that it paid for.

    `paid_cents` is what the card was charged; `granted` counts all credits that it
    paid for, with those of months of a paid year that are still `to_come`, or were
    `forfeited` because the plan ended before they began. `grants` are the oldest first,
    as they were read: lock the wallet and read again to act.
    """

    account: Account
    payment_intent_id: str
    kind: PaymentKind
    row_id: int
    public_id: str
    paid_cents: int
    currency: str
    paid_at: datetime
    granted: int
    to_come: tuple[Cycle, ...]
    grants: tuple[CreditGrant, ...]
    forfeited: int = 0

    @property
    def row(self) -> dict[str, int]:
        """Return the one foreign key that points at it, for a filter or a new row."""
        return {f"{self.kind}_id": self.row_id}


def payment_of(payment_intent_id: str) -> Payment | None:
    """Return the payment that Stripe knows by an id; None if it is none of ours (R98).

    Only what was settled here is a payment: before, look at its page or bill.
    """
    if not payment_intent_id:
        return None
    for find in (_purchased, _billed, _debt_paid):
        if found := find(payment_intent_id):
            return found
    return None


def payment_for(row: Purchase | Invoice | DebtPayment) -> Payment | None:
    """Return the payment of a row of ours; None: nothing was charged for it."""
    return payment_of(row.stripe_payment_intent_id or "")


def lock(payment: Payment) -> None:
    """Lock a payment's row until the transaction ends: one at a time acts on it."""
    rows = _MODELS[payment.kind].objects.select_for_update(no_key=True)
    rows.get(pk=payment.row_id)


def standing_refunds(payment: Payment) -> QuerySet[Refund]:
    """Return the refunds of a payment whose money went back or is on its way."""
    return Refund.objects.filter(**payment.row, state__in=STANDING)


def _purchased(intent_id: str) -> Payment | None:
    purchase = (
        Purchase.objects.select_related("account", "offer")
        .filter(stripe_payment_intent_id=intent_id, paid_at__isnull=False)
        .first()
    )
    if purchase is None or purchase.paid_at is None:
        return None
    grants = _grants([purchase.source_key])
    return Payment(
        account=purchase.account,
        payment_intent_id=intent_id,
        kind=PaymentKind.PURCHASE,
        row_id=purchase.pk,
        public_id=purchase.public_id,
        paid_cents=purchase.paid_cents or 0,
        currency=purchase.currency,
        paid_at=purchase.paid_at,
        # Nothing where the plan had ended before the money came (R42).
        granted=grants[0].granted if grants else 0,
        to_come=(),
        grants=grants,
    )


def _billed(intent_id: str) -> Payment | None:
    invoice = (
        Invoice.objects.select_related("account")
        .filter(stripe_payment_intent_id=intent_id, status=InvoiceStatus.PAID)
        .first()
    )
    if invoice is None or invoice.paid_at is None:
        return None
    cycles = list(invoice.cycles.select_related("plan_version").order_by("starts_at"))
    upgrades = PlanChange.objects.filter(invoice=invoice, credits_now__gt=0)
    begun = [cycle for cycle in cycles if cycle.granted_at]
    keys = [cycle.source_key for cycle in begun]
    keys += [upgrade.source_key for upgrade in upgrades]
    first = CreditGrant.objects.filter(source_key__in=keys)
    to_come = tuple(cycle for cycle in cycles if not cycle.granted_at)
    return Payment(
        account=invoice.account,
        payment_intent_id=intent_id,
        kind=PaymentKind.INVOICE,
        row_id=invoice.pk,
        public_id=invoice.number or invoice.stripe_invoice_id,
        paid_cents=invoice.due_cents,
        currency=invoice.currency,
        paid_at=invoice.paid_at,
        granted=sum(grant.granted for grant in first)
        + sum(cycle.credits for cycle in to_come)
        + _never_coming(invoice)
        + (forfeited := _forfeited(cycles)),
        forfeited=forfeited,
        to_come=to_come,
        grants=_grants(keys),
    )


def _forfeited(cycles: list[Cycle]) -> int:
    """Return the credits of a paid year's months that ended with the plan (R33)."""
    if not cycles:
        return 0
    first = cycles[0]
    # The credits of a month live through the next one, those of a year until its end.
    is_year = first.expires_at - first.starts_at > 2 * _LONGEST_MONTH
    missing = MONTHS_IN_YEAR - len(cycles) if is_year else 0
    return missing * cycles[-1].plan_version.cycle_credits


def _never_coming(invoice: Invoice) -> int:
    """Return the credits of paid months that refunds took away before they began."""
    standing = invoice.refunds.exclude(state=RefundState.FAILED)
    return standing.aggregate(credits=Sum("credits_to_come"))["credits"] or 0


def _debt_paid(intent_id: str) -> Payment | None:
    paid = (
        DebtPayment.objects.select_related("account")
        .filter(stripe_payment_intent_id=intent_id, state=DebtPaymentState.PAID)
        .first()
    )
    if paid is None or paid.paid_at is None:
        return None
    return Payment(
        account=paid.account,
        payment_intent_id=intent_id,
        kind=PaymentKind.DEBT,
        row_id=paid.pk,
        public_id=paid.public_id,
        paid_cents=paid.cents,
        currency=paid.currency,
        paid_at=paid.paid_at,
        granted=paid.credits,
        to_come=(),
        grants=(),
    )


def _grants(source_keys: list[str]) -> tuple[CreditGrant, ...]:
    """Return grants by their keys, with what was moved out of them (R95)."""
    found = CreditGrant.objects.filter(source_key__in=source_keys)
    grants = list(found.order_by("effective_at", "pk"))
    ours = {grant.pk for grant in grants}
    for moved in _moved_in(grants):
        entry_id = int(moved.source_key.removeprefix(_MOVED))
        # A grant is moved after it was made: older ones come first.
        if GrantDraw.objects.filter(entry_id=entry_id, grant_id__in=ours).exists():
            ours.add(moved.pk)
            grants.append(moved)
    return tuple(grants)


def _moved_in(grants: list[CreditGrant]) -> QuerySet[CreditGrant]:
    wallets = {grant.wallet_id for grant in grants}
    return CreditGrant.objects.filter(
        wallet__in=wallets, source_key__startswith=_MOVED
    ).order_by("pk")
