"""What Stripe's balance says beside what was kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.finance.stripe_balance import kept
from billing.models import BalanceMovement, BreakKind
from billing.reconciling.findings import Finding, chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from billing.reconciling.findings import Figures
    from billing.reconciling.reading import Books
    from billing.stripe_gateway import BookedMovement


def compare(books: Books) -> Iterator[Finding]:
    """Compare the movements that were kept with those of Stripe's balance, both ways.

    What was kept is never changed, so somebody has to look at what differs.
    """
    for chunk in chunks(books.movements):
        known = kept(chunk)
        for theirs in chunk:
            ours = known.get(theirs.id)
            if ours and _figures(ours) != _figures(theirs):
                yield _differing(ours, theirs)
    yield from _not_at_stripe(books.since, {one.id for one in books.movements})


def _figures(one: BalanceMovement | BookedMovement) -> Figures:
    return {
        "cents": one.amount_cents,
        "fee_cents": one.fee_cents,
        "currency": one.currency,
    }


def _differing(ours: BalanceMovement, theirs: BookedMovement) -> Finding:
    return Finding(
        BreakKind.FEE_DIFFERS,
        theirs.id,
        theirs.booked_at,
        account_id=ours.account_id,
        here=_figures(ours),
        at_stripe={**_figures(theirs), "source": theirs.source_id},
    )


def _not_at_stripe(since: datetime | None, seen: Collection[str]) -> Iterator[Finding]:
    ours = BalanceMovement.objects.all()
    for one in (ours.filter(booked_at__gte=since) if since else ours).iterator():
        if one.stripe_balance_transaction_id not in seen:
            yield Finding(
                BreakKind.FEE_DIFFERS,
                one.stripe_balance_transaction_id,
                one.booked_at,
                account_id=one.account_id,
                here=_figures(one),
            )
