"""All postings of a period, added up: of the ledger, of Stripe's balance, of bookings.

The journal, balances and revenue are sums of these, so they cannot differ (R110). Cents
are signed, debit positive; what one source posts on one day adds up to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings

from billing.models import BOOKED_ACCOUNTS
from billing.reports.accounts import AGAINST_CREDITS, BookAccount, against_cash
from billing.reports.dating import before, bounds, instant, rows
from billing.reports.movements import Movement

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span
    from billing.reports.dating import Row

_DAY = f"(({instant()}) AT TIME ZONE %(zone)s)::date"
_IN_PERIOD = f"{before('end')} AND NOT {before('start')}"
_LEDGER = """
    SELECT {day} AS day, movement, sum(credits)::bigint AS credits,
        sum(cents)::bigint AS cents
    FROM billing_moved() WHERE credits <> 0 AND {wanted} GROUP BY 1, 2
"""
_CASH = """
    SELECT day, category, sum(amount_cents)::bigint AS amount,
        sum(fee_cents)::bigint AS fee
    FROM (
        SELECT {day} AS day, category, amount_cents, fee_cents
        FROM (SELECT *, booked_at AS occurred_at FROM billing_balancemovement) AS moved
        WHERE {wanted}
    ) AS counted GROUP BY 1, 2
"""
_BOOKED = """
    SELECT {day} AS day, kind, {sums}
    FROM billing_booking WHERE {wanted} GROUP BY 1, 2
"""
_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in BOOKED_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Posting:
    """What one source posted to one account on one day; None: all days together.

    `reference` says what was posted, `drill` names the rows. `credits` are those that
    the ledger moved.
    """

    day: date | None
    account: BookAccount
    reference: str
    cents: int
    drill: str
    credits: int = 0


def of_period(period: Span, *, by_day: bool) -> list[Posting]:
    """Return the postings of a period: of each day, or of all of them together."""
    values = bounds(start=period.starts_at, end=period.ends_at)
    return _postings(_IN_PERIOD, values, by_day=by_day)


def until(at: datetime) -> list[Posting]:
    """Return all postings before an instant."""
    return _postings(before("end"), bounds(end=at), by_day=False)


def _postings(
    wanted: str, values: dict[str, datetime | None], *, by_day: bool
) -> list[Posting]:
    names = {"day": _DAY if by_day else "NULL::date", "wanted": wanted, "sums": _SUMS}
    bound = {**values, "zone": settings.FINANCE_TIME_ZONE}
    sources = ((_LEDGER, _of_ledger), (_CASH, _of_cash), (_BOOKED, _of_bookings))
    return [
        posting
        for statement, read in sources
        for posting in read(rows(statement.format(**names), bound))
        if posting.cents or posting.credits
    ]


def _of_ledger(found: Iterable[Row]) -> Iterator[Posting]:
    for row in found:
        drill = f"ledger/{row.movement}"
        against = AGAINST_CREDITS[Movement(row.movement)]
        deferred = BookAccount.DEFERRED_REVENUE
        yield Posting(row.day, deferred, row.movement, -row.cents, drill)
        yield Posting(row.day, against, row.movement, row.cents, drill, row.credits)


def _of_cash(found: Iterable[Row]) -> Iterator[Posting]:
    for row in found:
        reference, drill = row.category, f"cash/{row.category}"
        clearing, net = BookAccount.STRIPE_CLEARING, row.amount - row.fee
        yield Posting(row.day, clearing, reference, net, drill)
        yield Posting(row.day, BookAccount.FEES, reference, row.fee, drill)
        yield Posting(row.day, against_cash(reference), reference, -row.amount, drill)


def _of_bookings(found: Iterable[Row]) -> Iterator[Posting]:
    for row in found:
        for name in BOOKED_ACCOUNTS:
            drill = f"booked/{row.kind}/{name}"
            cents = getattr(row, name)
            yield Posting(row.day, BookAccount(name), row.kind, cents, drill)
