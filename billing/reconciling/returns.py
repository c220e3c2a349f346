"""Money that went back at Stripe, or is disputed there, beside our rows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import (
    BreakKind,
    DebtPayment,
    Dispute,
    Invoice,
    Purchase,
    Refund,
    RefundState,
)
from billing.reconciling.findings import Finding, chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from billing.reconciling.reading import Books
    from billing.stripe_gateway import BookedDispute, BookedRefund

_STATES = {
    "succeeded": RefundState.DONE,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
_PAID_FOR = (Purchase, Invoice, DebtPayment)


def compare(books: Books) -> Iterator[Finding]:
    """Compare refunds and disputes, both ways."""
    for refunds in chunks(books.refunds):
        yield from _compare_refunds(refunds)
    yield from _unknown_refunds(books.since, {one.id for one in books.refunds})
    for disputes in chunks(books.disputes):
        yield from _compare_disputes(disputes)
    yield from _unknown_disputes(books.since, {one.id for one in books.disputes})


def _compare_refunds(refunds: Sequence[BookedRefund]) -> Iterator[Finding]:
    found = Refund.objects.filter(stripe_refund_id__in=[one.id for one in refunds])
    posted = {one.stripe_refund_id: one for one in found}
    payers = _payers([one.payment_intent_id for one in refunds])
    for theirs in refunds:
        ours = posted.get(theirs.id)
        kind = _refund_kind(theirs, ours)
        if kind and (ours or theirs.payment_intent_id in payers):
            yield Finding(
                kind,
                theirs.id,
                theirs.created_at,
                account_id=payers.get(theirs.payment_intent_id),
                here=_figures(ours, ours.state) if ours else {},
                at_stripe=_figures(theirs, theirs.status),
                repair=("refund", theirs.id),
            )


def _refund_kind(theirs: BookedRefund, ours: Refund | None) -> BreakKind | None:
    if ours is None:
        # What failed before anybody heard of it has moved nothing.
        is_over = _STATES.get(theirs.status) == RefundState.FAILED
        return None if is_over else BreakKind.REFUND_UNPOSTED
    if _STATES.get(theirs.status, RefundState.PENDING) != ours.state:
        return BreakKind.REFUND_UNPOSTED
    return _money_kind(theirs, ours)


def _unknown_refunds(
    since: datetime | None, seen: Collection[str]
) -> Iterator[Finding]:
    refunds = Refund.objects.filter(stripe_refund_id__isnull=False)
    for one in refunds.filter(asked_at__gte=since) if since else refunds:
        if one.stripe_refund_id not in seen:
            yield Finding(
                BreakKind.REFUND_UNKNOWN,
                one.stripe_refund_id or "",
                one.asked_at,
                account_id=one.account_id,
                here=_figures(one, one.state) | {"refund": one.public_id},
            )


def _compare_disputes(disputes: Sequence[BookedDispute]) -> Iterator[Finding]:
    found = Dispute.objects.filter(stripe_dispute_id__in=[one.id for one in disputes])
    posted = {one.stripe_dispute_id: one for one in found}
    payers = _payers([one.payment_intent_id for one in disputes])
    for theirs in disputes:
        ours = posted.get(theirs.id)
        kind = _dispute_kind(theirs, ours)
        if kind and (ours or theirs.payment_intent_id in payers):
            yield Finding(
                kind,
                theirs.id,
                theirs.opened_at,
                account_id=payers.get(theirs.payment_intent_id),
                here=_figures(ours, ours.status) if ours else {},
                at_stripe=_figures(theirs, theirs.status),
                repair=("dispute", theirs.id),
            )


def _unknown_disputes(
    since: datetime | None, seen: Collection[str]
) -> Iterator[Finding]:
    disputes = Dispute.objects.all()
    for one in disputes.filter(opened_at__gte=since) if since else disputes:
        if one.stripe_dispute_id not in seen:
            yield Finding(
                BreakKind.DISPUTE_UNKNOWN,
                one.stripe_dispute_id,
                one.opened_at,
                account_id=one.account_id,
                here=_figures(one, one.status),
            )


def _dispute_kind(theirs: BookedDispute, ours: Dispute | None) -> BreakKind | None:
    if ours is None or theirs.status.upper() != ours.status:
        return BreakKind.DISPUTE_UNPOSTED
    return _money_kind(theirs, ours)


def _money_kind(
    theirs: BookedRefund | BookedDispute, ours: Refund | Dispute
) -> BreakKind | None:
    if theirs.currency != ours.currency:
        return BreakKind.CURRENCY_DIFFERS
    if theirs.amount_cents != ours.amount_cents:
        return BreakKind.AMOUNT_DIFFERS
    return None


def _payers(payment_intent_ids: Collection[str]) -> dict[str, int]:
    """Return whose payments these are, by Stripe's id; others' are left out (R98)."""
    ids = [one for one in payment_intent_ids if one]
    return {
        str(intent_id): account_id
        for paid_for in _PAID_FOR
        for intent_id, account_id in paid_for._default_manager.filter(
            stripe_payment_intent_id__in=ids
        ).values_list("stripe_payment_intent_id", "account_id")
    }


def _figures(
    one: BookedRefund | BookedDispute | Refund | Dispute, status: str
) -> dict[str, str | int | None]:
    return {
        "status": status.upper(),
        "cents": one.amount_cents,
        "currency": one.currency,
    }
