"""Stripe's own books: what was paid, billed, returned, disputed and charged for it.

To compare with ours, so everything is read in lists, never one by one. `since` is
when the object was made at Stripe; None means all of them. Amounts are cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import stripe

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import expanded, id_of, instant, noted

if TYPE_CHECKING:
    from datetime import datetime

_PAGE = 100


class _Range(TypedDict, total=False):
    """As each of the SDK's lists has it, under a name of its own."""

    gt: int
    gte: int
    lt: int
    lte: int


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """A charge that succeeded.

    `purchase` or `debt_payment` is our id in its metadata; the others are "".
    """

    id: str
    payment_intent_id: str
    purchase: str
    debt_payment: str
    amount_cents: int
    currency: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class BookedSession:
    """A checkout page that was completed; `purchase` and `change` are our ids."""

    id: str
    purchase: str
    change: str
    is_paid: bool
    payment_intent_id: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class BookedInvoice:
    """A bill. `account` is our id in its plan's metadata; `status` Stripe's word."""

    id: str
    account: str
    subscription_id: str
    status: str
    currency: str
    total_cents: int
    due_cents: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """Money on its way back, or that could not go; `status` is Stripe's word."""

    id: str
    payment_intent_id: str
    status: str
    amount_cents: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BookedDispute:
    """A payment that its bank disputes, or asks about; `status` is Stripe's word."""

    id: str
    payment_intent_id: str
    status: str
    amount_cents: int
    currency: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class BookedMovement:
    """A movement of Stripe's balance; `customer_id` where it says whose.

    `amount_cents` is signed and before the fee.
    """

    id: str
    category: str
    source_id: str
    customer_id: str
    currency: str
    amount_cents: int
    fee_cents: int
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class RenewingPlan:
    """A subscription that Stripe goes on charging for."""

    id: str
    account: str
    status: str
    lookup_key: str
    started_at: datetime
    period_starts_at: datetime
    period_ends_at: datetime


def booked_payments(since: datetime | None) -> list[BookedPayment]:
    """Return the payments that went through.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.charges.list({"created": _from(since), "limit": _PAGE})
        return [
            BookedPayment(
                id=one.id,
                payment_intent_id=id_of(one.payment_intent),
                purchase=noted(one.metadata, "purchase"),
                debt_payment=noted(one.metadata, "debt_payment"),
                amount_cents=one.amount,
                currency=one.currency,
                paid_at=instant(one.created),
            )
            for one in found.auto_paging_iter()
            if one.status == "succeeded"
        ]


def booked_sessions(since: datetime | None) -> list[BookedSession]:
    """Return the checkout pages that were completed.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.checkout.sessions.list(
            {"created": _from(since), "status": "complete", "limit": _PAGE}
        )
        return [
            BookedSession(
                id=one.id,
                purchase=noted(one.metadata, "purchase"),
                change=noted(one.metadata, "change"),
                is_paid=one.payment_status == "paid",
                payment_intent_id=id_of(one.payment_intent),
                opened_at=instant(one.created),
            )
            for one in found.auto_paging_iter()
        ]


def booked_invoices(since: datetime | None) -> list[BookedInvoice]:
    """Return the bills, but for those that are still being prepared.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.invoices.list({"created": _from(since), "limit": _PAGE})
        return [
            _invoice(one) for one in found.auto_paging_iter() if one.status != "draft"
        ]


def booked_refunds(since: datetime | None) -> list[BookedRefund]:
    """Return the refunds, whoever made them.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.refunds.list({"created": _from(since), "limit": _PAGE})
        return [
            BookedRefund(
                id=one.id,
                payment_intent_id=id_of(one.payment_intent),
                status=one.status or "",
                amount_cents=one.amount,
                currency=one.currency,
                created_at=instant(one.created),
            )
            for one in found.auto_paging_iter()
        ]


def booked_disputes(since: datetime | None) -> list[BookedDispute]:
    """Return the disputes, open and closed, and the inquiries.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.disputes.list({"created": _from(since), "limit": _PAGE})
        return [
            BookedDispute(
                id=one.id,
                payment_intent_id=id_of(one.payment_intent),
                status=one.status,
                amount_cents=one.amount,
                currency=one.currency,
                opened_at=instant(one.created),
            )
            for one in found.auto_paging_iter()
        ]


def booked_movements(since: datetime | None) -> list[BookedMovement]:
    """Return the movements of Stripe's balance.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.balance_transactions.list(
            {"created": _from(since), "limit": _PAGE, "expand": ["data.source"]}
        )
        return [_movement(one) for one in found.auto_paging_iter()]


def renewing_plans() -> list[RenewingPlan]:
    """Return every subscription that has not ended.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        # Without a status Stripe leaves out what is canceled.
        found = client().v1.subscriptions.list({"limit": _PAGE})
        return [
            RenewingPlan(
                id=one.id,
                account=noted(one.metadata, "account"),
                status=one.status,
                lookup_key=one.items.data[0].price.lookup_key or "",
                started_at=instant(one.start_date),
                period_starts_at=instant(one.items.data[0].current_period_start),
                period_ends_at=instant(one.items.data[0].current_period_end),
            )
            for one in found.auto_paging_iter()
            if one.status != "incomplete_expired"
        ]


def _from(since: datetime | None) -> _Range:
    return {"gte": int(since.timestamp()) if since else 0}


def _invoice(one: stripe.Invoice) -> BookedInvoice:
    plan = one.parent and one.parent.subscription_details
    return BookedInvoice(
        id=one.id,
        account=noted(plan.metadata, "account") if plan else "",
        subscription_id=id_of(plan.subscription) if plan else "",
        status=one.status or "",
        currency=one.currency,
        total_cents=one.total,
        due_cents=one.amount_due,
        created_at=instant(one.created),
    )


def _movement(one: stripe.BalanceTransaction) -> BookedMovement:
    charge = expanded(one.source, stripe.Charge)
    return BookedMovement(
        id=one.id,
        category=one.reporting_category,
        source_id=id_of(one.source),
        customer_id=id_of(charge.customer) if charge else "",
        currency=one.currency,
        amount_cents=one.amount,
        fee_cents=one.fee,
        booked_at=instant(one.created),
    )
