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

from billing.finance.reports import cash, sums
from billing.finance.reports.accounts import AGAINST_CREDITS, BookAccount, against_cash
from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import before, bounds, instant, rows
from billing.finance.reports.movements import Movement
from billing.models import BOOKED_ACCOUNTS

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span
    from billing.finance.reports.dating import Row

_DAY = f"(({instant()}) AT TIME ZONE %(zone)s)::date"
_NO_DAY = "NULL::date"
_IN_PERIOD = f"{before('end')} AND NOT {before('start')}"
_LEDGER = """
    SELECT {day} AS day, movement, sum(credits)::bigint AS credits,
        sum(cents)::bigint AS cents
    FROM billing_moved_since({since}) WHERE credits <> 0 AND {wanted} GROUP BY 1, 2
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
_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in BOOKED_ACCOUNTS)
_BOOKED = f"""
    SELECT {{day}} AS day, kind, {_SUMS}
    FROM billing_booking WHERE {{wanted}} GROUP BY 1, 2
"""  # noqa: S608 - our own names


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


def by_day(period: Span) -> list[Posting]:
    """Return the postings of each day of a period."""
    values = bounds(start=period.starts_at, end=period.ends_at)
    return _counted(values, day=_DAY, since="%(start)s", wanted=_IN_PERIOD)


def until(at: datetime) -> list[Posting]:
    """Return all postings before an instant."""
    return _counted(
        bounds(end=at), day=_NO_DAY, since="'-infinity'", wanted=before("end")
    )


def of_period(period: Span) -> list[Posting]:
    """Return the postings of a period: of the sums that other reports are made of."""
    booked = _BOOKED.format(day=_NO_DAY, wanted=_IN_PERIOD)
    values = bounds(start=period.starts_at, end=period.ends_at)
    return _posted(
        (_of_movement(None, *moved) for moved in sums.by_movement(period).items()),
        (
            _of_cash(None, one.category, one.amount_cents, one.fee_cents)
            for one in cash.cash(period)
        ),
        (_of_booking(row) for row in rows(booked, values)),
    )


def _counted(
    values: dict[str, datetime | None], *, day: str, since: str, wanted: str
) -> list[Posting]:
    bound = {**values, "zone": settings.FINANCE_TIME_ZONE}
    ledger, balance, booked = (
        rows(statement.format(day=day, since=since, wanted=wanted), bound)
        for statement in (_LEDGER, _CASH, _BOOKED)
    )
    return _posted(
        (
            _of_movement(
                row.day, Movement(row.movement), Amount(row.credits, row.cents)
            )
            for row in ledger
        ),
        (_of_cash(row.day, row.category, row.amount, row.fee) for row in balance),
        (_of_booking(row) for row in booked),
    )


def _posted(*sources: Iterable[Iterator[Posting]]) -> list[Posting]:
    return [
        posting
        for source in sources
        for postings in source
        for posting in postings
        if posting.cents or posting.credits
    ]


def _of_movement(
    day: date | None, movement: Movement, amount: Amount
) -> Iterator[Posting]:
    reference, drill = movement.value, f"ledger/{movement}"
    deferred, against = BookAccount.DEFERRED_REVENUE, AGAINST_CREDITS[movement]
    yield Posting(day, deferred, reference, -amount.cents, drill)
    yield Posting(day, against, reference, amount.cents, drill, amount.credits)


def _of_cash(
    day: date | None, category: str, amount_cents: int, fee_cents: int
) -> Iterator[Posting]:
    drill = f"cash/{category}"
    net = amount_cents - fee_cents
    yield Posting(day, BookAccount.STRIPE_CLEARING, category, net, drill)
    yield Posting(day, BookAccount.FEES, category, fee_cents, drill)
    yield Posting(day, against_cash(category), category, -amount_cents, drill)


def _of_booking(row: Row) -> Iterator[Posting]:
    for name in BOOKED_ACCOUNTS:
        drill = f"booked/{row.kind}/{name}"
        cents = getattr(row, name)
        yield Posting(row.day, BookAccount(name), row.kind, cents, drill)
