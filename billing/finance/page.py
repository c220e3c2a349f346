"""The month on one page: what finance reads of it, gathered from the reports."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar

from django.db.models import Count, Min

from billing.core.periods import Span
from billing.finance import closing, months, names
from billing.finance.reports import cash, deferred, liability, revenue
from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import reading
from billing.models import Break, BreakKind, BreakState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.finance.months import Month
    from billing.finance.reports.cash import Cash
    from billing.finance.reports.deferred import Deferred
    from billing.finance.reports.liability import Age, RollForward, Split, Standing
    from billing.finance.reports.revenue import BreakageEstimate, RevenueLine
    from billing.models import ClosedMonth

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Step:
    """What of the deferred revenue ends in a month at the latest; None is never.

    The percentages are the lengths of its bars, beside the largest of all.
    """

    month: date | None
    granted: Amount
    unbegun: Amount
    begun_percent: int
    percent: int

    @property
    def code(self) -> str:
        """Return what the rows behind it go by: 2027-03, or never."""
        return f"{self.month:%Y-%m}" if self.month else "never"

    @property
    def total(self) -> Amount:
        """Return what is in wallets and what is still to come."""
        return self.granted + self.unbegun


@dataclass(frozen=True, slots=True)
class Named(Generic[Row]):
    """A row of a report with its name for people."""

    label: str
    row: Row


@dataclass(frozen=True, slots=True)
class OpenBreaks:
    """The open breaks of a kind, and since when the oldest is known."""

    label: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class MonthPage:
    """All of it. `at` is the instant for which what is owed is said."""

    month: Month
    at: datetime
    closed: ClosedMonth | None
    refusal: str
    forwards: list[Named[RollForward]]
    revenue: list[RevenueLine]
    revenue_cents: int
    estimates: list[tuple[str, str, BreakageEstimate]]
    steps: list[Step]
    ages: list[Named[Age]]
    standing: list[Named[Standing]]
    cash: list[Named[Cash]]
    breaks: list[OpenBreaks]

    @property
    def is_over(self) -> bool:
        """Whether the figures are those of the month's end."""
        return self.at == self.month.ends_at


@reading()
def read(month: Month, *, by: Split, at: datetime) -> MonthPage:
    """Return a month's figures, those of the running one as they stand at `at`."""
    until = min(at, month.ends_at)
    period = Span(month.starts_at, until)
    lines = revenue.revenue(period)
    return MonthPage(
        month=month,
        at=until,
        closed=months.closed(month),
        refusal=closing.refusal(month, at=at),
        forwards=[
            Named(names.of_group(one, by), one)
            for one in liability.roll_forward(period, by=by)
        ],
        revenue=lines,
        revenue_cents=sum(line.amount.cents for line in lines),
        estimates=[
            (names.of_source(one.source), names.of_share(one.rate_ppm), one)
            for one in revenue.breakage_estimates(period)
        ],
        steps=steps_of(deferred.waterfall(at=until)),
        ages=[Named(names.of_age(one), one) for one in liability.ageing(at=until)],
        standing=[
            Named(names.of_unit(one.unit), one) for one in liability.standing(at=until)
        ],
        cash=[Named(names.of_category(one.category), one) for one in cash.cash(period)],
        breaks=_open_breaks(),
    )


def steps_of(rows: Iterable[Deferred]) -> list[Step]:
    """Return the waterfall by month alone; what never ends comes last."""
    granted: dict[date | None, Amount] = defaultdict(Amount)
    unbegun: dict[date | None, Amount] = defaultdict(Amount)
    for row in rows:
        granted[row.month] += row.granted
        unbegun[row.month] += row.unbegun
    most = max((granted[m] + unbegun[m] for m in granted), key=_cents, default=Amount())
    return [
        Step(
            month=month,
            granted=granted[month],
            unbegun=unbegun[month],
            begun_percent=_percent(granted[month], most),
            percent=_percent(granted[month] + unbegun[month], most),
        )
        for month in sorted(granted, key=lambda month: month or date.max)
    ]


def _cents(amount: Amount) -> int:
    return amount.cents


def _percent(amount: Amount, most: Amount) -> int:
    return max(amount.cents, 0) * 100 // most.cents if most.cents > 0 else 0


def _open_breaks() -> list[OpenBreaks]:
    counted = (
        Break.objects.filter(state=BreakState.OPEN)
        .values_list("kind")
        .annotate(Count("pk"), Min("first_seen_at"))
        .order_by("kind")
    )
    return [
        OpenBreaks(str(BreakKind(kind).label), count, oldest_at)
        for kind, count, oldest_at in counted
    ]
