"""Months counted from an anchor: cycles and terms, in UTC, half-open (R5, R11, R12).

Every boundary is computed from the anchor, never from the boundary before it: a
31st that was shortened to the 28th is a 31st again in the next long month.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime

MONTHS_IN_YEAR = 12


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts_at` on, up to but without `ends_at`."""

    starts_at: datetime
    ends_at: datetime

    def covers(self, at: datetime) -> bool:
        """Whether the instant lies within."""
        return self.starts_at <= at < self.ends_at


def add_months(anchor_at: datetime, months: int) -> datetime:
    """Return the instant so many months later, on the last day if the day is missing.

    Source: docs/rules.md R11.
    """
    anchor_at = anchor_at.astimezone(UTC)
    years, month = divmod(anchor_at.month - 1 + months, MONTHS_IN_YEAR)
    year, month = anchor_at.year + years, month + 1
    day = min(anchor_at.day, monthrange(year, month)[1])
    return anchor_at.replace(year=year, month=month, day=day)


def cycle(anchor_at: datetime, index: int) -> Span:
    """Return the month number `index`; 0 begins at the anchor."""
    return Span(add_months(anchor_at, index), add_months(anchor_at, index + 1))


def cycle_index(anchor_at: datetime, at: datetime) -> int:
    """Return the number of the month that covers `at`; negative before the anchor."""
    at = at.astimezone(UTC)
    first = anchor_at.astimezone(UTC)
    index = (at.year - first.year) * MONTHS_IN_YEAR + at.month - first.month
    return index if add_months(first, index) <= at else index - 1


def term(anchor_at: datetime, index: int) -> Span:
    """Return the paid year that month number `index` belongs to (R12, R13)."""
    first = index - index % MONTHS_IN_YEAR
    return Span(
        add_months(anchor_at, first), add_months(anchor_at, first + MONTHS_IN_YEAR)
    )


def months(paid: Span, anchor_at: datetime) -> list[Span]:
    """Return the months of a paid term: one, or the twelve of a year (R11, R13)."""
    anchor_at = _anchor_of(paid, anchor_at)
    first = cycle_index(anchor_at, paid.starts_at)
    # A term ends where a month begins, which is then the next term's first.
    last = cycle_index(anchor_at, paid.ends_at)
    return [cycle(anchor_at, index) for index in range(first, last)]


def month_after(paid: Span, anchor_at: datetime) -> Span:
    """Return the month that begins when a paid term ends: where R14 rolls over to."""
    anchor_at = _anchor_of(paid, anchor_at)
    return cycle(anchor_at, cycle_index(anchor_at, paid.ends_at))


def _anchor_of(paid: Span, anchor_at: datetime) -> datetime:
    # The anchor may have moved since this term was paid (R30): then the term's own
    # beginning is the best that is known.
    index = cycle_index(anchor_at, paid.starts_at)
    is_boundary = add_months(anchor_at, index) == paid.starts_at
    return anchor_at if is_boundary else paid.starts_at
