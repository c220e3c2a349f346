"""Payments of debts at Stripe beside ours (R79)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import BreakKind, DebtPayment, DebtPaymentState
from billing.reconciling.findings import Finding, chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from billing.reconciling.findings import Figures
    from billing.reconciling.reading import Books
    from billing.stripe_gateway import BookedPayment


def compare(books: Books) -> Iterator[Finding]:
    """Compare both ways what was paid of debts, and what is owed no longer for it."""
    ours = [one for one in books.payments if one.debt_payment]
    for chunk in chunks(ours):
        yield from _compare(chunk)
    yield from _not_at_stripe(books.since, {one.payment_intent_id for one in ours})


def _compare(payments: Sequence[BookedPayment]) -> Iterator[Finding]:
    ids = [one.debt_payment for one in payments]
    known = {
        one.public_id: one for one in DebtPayment.objects.filter(public_id__in=ids)
    }
    for theirs in payments:
        ours = known.get(theirs.debt_payment)
        if kind := _kind(theirs, ours):
            yield Finding(
                kind,
                theirs.payment_intent_id,
                theirs.paid_at,
                account_id=ours.account_id if ours else None,
                here=_figures(ours) if ours else {},
                at_stripe={
                    "debt": theirs.debt_payment,
                    "cents": theirs.amount_cents,
                    "currency": theirs.currency,
                },
                repair=_look_at(ours),
            )


def _kind(theirs: BookedPayment, ours: DebtPayment | None) -> BreakKind | None:
    if ours is None or ours.stripe_payment_intent_id != theirs.payment_intent_id:
        return BreakKind.PAID_WITHOUT_GRANT
    if theirs.currency != ours.currency:
        return BreakKind.CURRENCY_DIFFERS
    if theirs.amount_cents != ours.cents:
        return BreakKind.AMOUNT_DIFFERS
    return None


def _look_at(ours: DebtPayment | None) -> tuple[str, str]:
    is_unpaid = ours and ours.state != DebtPaymentState.PAID
    session_id = ours.stripe_session_id if ours and is_unpaid else None
    return ("checkout.session", session_id) if session_id else ("", "")


def _not_at_stripe(since: datetime | None, seen: Collection[str]) -> Iterator[Finding]:
    paid = DebtPayment.objects.filter(state=DebtPaymentState.PAID)
    for one in paid.filter(paid_at__gte=since) if since else paid:
        if one.stripe_payment_intent_id not in seen:
            yield Finding(
                BreakKind.GRANT_WITHOUT_PAYMENT,
                one.stripe_payment_intent_id or one.public_id,
                one.paid_at or one.opened_at,
                account_id=one.account_id,
                here=_figures(one),
            )


def _figures(one: DebtPayment) -> Figures:
    return {
        "debt": one.public_id,
        "state": one.state,
        "cents": one.cents,
        "currency": one.currency,
        "credits": one.credits,
    }
