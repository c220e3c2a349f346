"""Calendar days of a time zone as half-open spans of time (R16).

A day begins at its first instant and ends where the next one begins, so it has 23 or
25 hours when clocks change, and whole days follow each other without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

LONGEST_BY_DAY = 92  # days, a quarter: a longer span is told by week

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A date, and the time that it is there."""

    date: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time and the days that it touches: the first may begin earlier."""

    starts_at: datetime
    ends_at: datetime
    days: tuple[Day, ...]

    @property
    def first_whole_day(self) -> date:
        """Return the first date of which all is in it; it may be past the last."""
        first = self.days[0]
        is_whole = first.starts_at == self.starts_at
        return first.date if is_whole else first.date + _DAY

    @property
    def is_by_week(self) -> bool:
        """Whether it is too long to be told by day."""
        return len(self.days) > LONGEST_BY_DAY

    @property
    def stretches(self) -> tuple[tuple[Day, ...], ...]:
        """Return its days one by one, or as weeks if it is long."""
        if self.is_by_week:
            return weeks_of(self.days)
        return tuple((day,) for day in self.days)


def day_of(instant: datetime, zone: tzinfo) -> date:
    """Return the date that an instant has in a zone."""
    return instant.astimezone(zone).date()


def span_of_days(first: date, last: date, zone: tzinfo) -> Span:
    """Return the days from `first` to `last`, both of them in whole."""
    count = (last - first).days + 1
    starts = [_midnight(first + n * _DAY, zone) for n in range(count + 1)]
    days = tuple(
        Day(first + n * _DAY, *bounds) for n, bounds in enumerate(pairwise(starts))
    )
    return Span(days[0].starts_at, days[-1].ends_at, days)


def span_since(starts_at: datetime, last: date, zone: tzinfo) -> Span:
    """Return the time from an instant to the end of a day not before it."""
    whole = span_of_days(day_of(starts_at, zone), last, zone)
    return Span(starts_at, whole.ends_at, whole.days)


def weeks_of(days: Iterable[Day]) -> tuple[tuple[Day, ...], ...]:
    """Return days that follow each other as weeks from Monday on.

    The first and the last are as short as the days begin and end.
    """
    return tuple(tuple(week) for _, week in groupby(days, key=_monday))


def _monday(day: Day) -> date:
    return day.date - day.date.weekday() * _DAY


def _midnight(day: date, zone: tzinfo) -> datetime:
    # Where clocks skip midnight, this is the instant of the skip.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
