"""What Stripe took of our payments beside what was kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.fees import kept
from billing.models import BreakKind, StripeFee
from billing.reconciling.findings import Finding, chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from billing.reconciling.reading import Books
    from billing.stripe_gateway import BookedFee


def compare(books: Books) -> Iterator[Finding]:
    """Compare the fees that were kept with those of Stripe's balance, both ways."""
    for chunk in chunks(books.fees):
        known = kept(chunk)
        for theirs in chunk:
            ours = known.get(theirs.id)
            if ours and not _is_same(ours, theirs):
                yield _differing(ours, theirs)
    yield from _not_at_stripe(books.since, {one.id for one in books.fees})


def _is_same(ours: StripeFee, theirs: BookedFee) -> bool:
    return (ours.fee_cents, ours.currency) == (theirs.fee_cents, theirs.currency)


def _differing(ours: StripeFee, theirs: BookedFee) -> Finding:
    return Finding(
        BreakKind.FEE_DIFFERS,
        theirs.id,
        theirs.booked_at,
        account_id=ours.account_id,
        here={"fee_cents": ours.fee_cents, "currency": ours.currency},
        at_stripe={
            "fee_cents": theirs.fee_cents,
            "currency": theirs.currency,
            "source": theirs.source_id,
        },
        repair=("balance_transaction", theirs.id),
    )


def _not_at_stripe(since: datetime | None, seen: Collection[str]) -> Iterator[Finding]:
    ours = StripeFee.objects.all()
    for one in (ours.filter(booked_at__gte=since) if since else ours).iterator():
        if one.stripe_balance_transaction_id not in seen:
            yield Finding(
                BreakKind.FEE_DIFFERS,
                one.stripe_balance_transaction_id,
                one.booked_at,
                account_id=one.account_id,
                here={"fee_cents": one.fee_cents, "currency": one.currency},
            )
