"""Months as finance counts them, and in which of them a row belongs (R93).

A row's *accounting instant* is its own instant, or the end of the last month that was
closed when the row was recorded, if that is later: what comes late for a closed month
is posted in the first instant of the open one, and a closed month never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, Min
from django.utils.dates import MONTHS

from billing.models import ClosedMonth
from credits.models import CreditGrant

if TYPE_CHECKING:
    from collections.abc import Iterator

# A month stays open for a little while: what happened in it has then been recorded.
CLOSES_AFTER = timedelta(hours=1)
_OURS = range(2000, 3000)  # years: calendars end


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in the zone of finance: [starts_at, ends_at)."""

    first: date

    @property
    def starts_at(self) -> datetime:
        """Its first instant."""
        zone = ZoneInfo(settings.FINANCE_TIME_ZONE)
        return datetime(self.first.year, self.first.month, 1, tzinfo=zone)

    @property
    def ends_at(self) -> datetime:
        """The first instant of the next month."""
        return self.next.starts_at

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def previous(self) -> Month:
        """The month before it."""
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def code(self) -> str:
        """How addresses and files name it: 2026-03."""
        return f"{self.first:%Y-%m}"

    def __str__(self) -> str:
        """Return its name: March 2026."""
        return f"{MONTHS[self.first.month]} {self.first.year}"


def month_of(instant: datetime) -> Month:
    """Return the month in which an instant lies."""
    local = instant.astimezone(ZoneInfo(settings.FINANCE_TIME_ZONE))
    return Month(local.date().replace(day=1))


def parse(code: str) -> Month:
    """Return the month of a code.

    Raises:
        ValueError: it is no code of a month.
    """
    first = datetime.strptime(f"{code}-01", "%Y-%m-%d").date()  # noqa: DTZ007
    if not _OURS.start <= first.year < _OURS.stop:
        raise ValueError(f"{code} is none of our months")
    return Month(first)


def closed(month: Month) -> ClosedMonth | None:
    """Return the closing of a month, None while it is open."""
    return ClosedMonth.objects.filter(month=month.first).first()


def first_open(*, at: datetime) -> Month:
    """Return the earliest month that is not closed: the next one to close."""
    last: date | None = ClosedMonth.objects.aggregate(last=Max("month"))["last"]
    return Month(last).next if last else _first(at)


def months(*, at: datetime) -> Iterator[Month]:
    """Yield the months from that of the first grant to the running one."""
    month = _first(at)
    while month <= month_of(at):
        yield month
        month = month.next


def recorded_before(instant: datetime) -> datetime | None:
    """Return until when a row must have been recorded to belong before an instant.

    A row's accounting instant lies before `instant` exactly if its own does and it was
    recorded before this; None is no bound. One bound for a whole report costs nothing,
    where `accounting_instant_sql` is worked out for each row.
    """
    first = ClosedMonth.objects.filter(ends_at__gte=instant).order_by("month").first()
    return first.closed_at if first else None


def accounting_instant_sql(business: str, recorded: str) -> str:
    """Return SQL for a row's accounting instant, of the names of two of its columns."""
    # greatest() skips the NULL of a row that was recorded before any month was closed.
    return (
        f"greatest({business}, (SELECT max(closed_month.ends_at)"  # noqa: S608 - names
        " FROM billing_closedmonth AS closed_month"
        f" WHERE closed_month.closed_at <= {recorded}))"
    )


def _first(at: datetime) -> Month:
    found = CreditGrant.objects.aggregate(oldest=Min("created_at"))
    return month_of(found["oldest"] or at)
