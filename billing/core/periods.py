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
