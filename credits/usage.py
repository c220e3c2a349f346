"""What was used, by day, feature and member: the ledger's figures, added up.

Used credits are those of spends and captures; what was given back is counted on the
day it was, under the member whose job it was. Days are those of a time zone (R16).
Each answer is one query, of a function in credits/sql/usage.sql, and one snapshot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from django.db import connection
from django.utils.translation import gettext as _

from credits import quoting
from credits.models import ABSORBED, LedgerEntry, RateUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from credits.core.spans import Span

# Stand where a feature stands, as ABSORBED does: none of them is one.
GIVEN_BACK = "given-back"
NOT_CHARGED = "not-charged"  # its quantity counts jobs
TAKEN_BACK = frozenset({ABSORBED, GIVEN_BACK})

NOBODY = "-"  # how a filter asks for what was used without a member

# What was given back on a day follows what was used on it.
_BY_DAY = """
    SELECT * FROM usage_by_day(
        %(wallet_id)s, %(zone)s, %(starts_at)s, %(first_day)s, %(last_day)s,
        %(feature)s, %(member)s
    )
    ORDER BY day, feature = 'given-back', feature, member
"""
_BY_STRETCH = """
    SELECT date_trunc(%(stretch)s, day::timestamp)::date AS begins, feature, member,
        sum(quantity)::bigint, sum(credits)::bigint, max(rate_version)
    FROM usage_in_brief(
        %(wallet_id)s, %(zone)s, %(starts_at)s, %(first_day)s, %(last_day)s,
        %(feature)s, %(member)s, %(stretch)s = 'week'
    )
    GROUP BY begins, feature, member
    ORDER BY begins, feature = 'given-back', feature, member
"""
_SINCE = "SELECT usage_since(%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Used:
    """So much of one feature; negative: not charged."""

    feature: str
    label: str
    unit: RateUnit
    shown_per: str
    quantity: int
    credits: int

    @property
    def is_feature(self) -> bool:
        """Whether something was measured, not a charge taken back."""
        return self.feature not in TAKEN_BACK


@dataclass(frozen=True, slots=True)
class UsedOn(Used):
    """So much of one feature on one day, or in the stretch of days that begins then."""

    date: date


@dataclass(frozen=True, slots=True)
class UsedBy(Used):
    """So much of one feature by one member."""

    member: str

    @property
    def member_label(self) -> str:
        """Return who used it, as people read it."""
        return self.member or _("No member named")


class UsageRow(NamedTuple):
    """What one member used of one feature on one day.

    A tuple, since a month of a busy wallet has thousands of them.
    """

    date: date
    feature: str
    member: str
    quantity: int
    credits: int
    label: str
    unit: RateUnit
    shown_per: str


@dataclass(frozen=True, slots=True)
class Records:
    """Usage of a span: what was asked for by stretch, and all there is by member.

    `not_charged` has how many jobs of each member were not charged.
    """

    span: Span
    feature: str
    member: str
    by_stretch: tuple[UsedOn, ...]
    by_member: tuple[UsedBy, ...]
    not_charged: Counter[str]

    @property
    def asked_for(self) -> tuple[UsedBy, ...]:
        """Return what was asked for by member."""
        return tuple(row for row in self._of_member if self._has_feature(row))

    @property
    def left_out(self) -> tuple[UsedBy, ...]:
        """Return what belongs to whole jobs, and so to no feature asked for."""
        return tuple(
            row
            for row in self._of_member
            if not (row.is_feature or self._has_feature(row))
        )

    @property
    def not_charged_jobs(self) -> int:
        """Return how many jobs were not charged: all, or those of the member."""
        jobs = self.not_charged
        return jobs[self._name] if self.member else jobs.total()

    @property
    def _of_member(self) -> tuple[UsedBy, ...]:
        if not self.member:
            return self.by_member
        return tuple(row for row in self.by_member if row.member == self._name)

    def _has_feature(self, row: UsedBy) -> bool:
        return self.feature in {"", row.feature}

    @property
    def _name(self) -> str:
        return "" if self.member == NOBODY else self.member


class _Sum(NamedTuple):
    day: date | None
    feature: str
    member: str | None
    quantity: int
    credits: int
    rate_version: int


_Row: TypeAlias = tuple[date | None, str, str | None, int, int, int]  # of a _Sum
# A feature's label, its unit, and what it is shown per.
_Name: TypeAlias = tuple[str, RateUnit, str]
_Naming: TypeAlias = "Callable[[str, int], _Name]"


def records_of(
    wallet_id: int, *, span: Span, zone: tzinfo, feature: str = "", member: str = ""
) -> Records:
    """Return usage of a span by stretches of a zone's days, of what is asked for."""
    rows = _rows(_BY_STRETCH, wallet_id, span, zone, feature=feature, member=member)
    sums = [_Sum(*row) for row in rows]
    used = [sum_ for sum_ in sums if sum_.feature != NOT_CHARGED]
    named = cache(_named)
    first = span.days[0].date  # of a week, too, that began before
    return Records(
        span=span,
        feature=feature,
        member=member,
        by_stretch=tuple(
            UsedOn(*_used(sum_, named), max(sum_.day, first))
            for sum_ in used
            if sum_.day
        ),
        by_member=tuple(
            UsedBy(*_used(sum_, named), sum_.member or "")
            for sum_ in used
            if not sum_.day
        ),
        not_charged=Counter(
            {
                sum_.member or "": sum_.quantity
                for sum_ in sums
                if sum_.feature == NOT_CHARGED and not sum_.day
            }
        ),
    )


def rows_of(
    wallet_id: int, *, span: Span, zone: tzinfo, feature: str = "", member: str = ""
) -> tuple[UsageRow, ...]:
    """Return the same by day, feature and member at once: many rows at times."""
    rows = _rows(_BY_DAY, wallet_id, span, zone, feature=feature, member=member)
    named = cache(_named)  # each once, though there may be thousands of rows
    return tuple(
        UsageRow(day, name, by or "", quantity, credits, *named(name, version))
        for day, name, by, quantity, credits, version in rows
        if day and name != NOT_CHARGED
    )


def used_since(wallet_id: int, starts: Sequence[datetime]) -> list[int]:
    """Return the credits used since each instant, less what was given back."""
    return [_used_since(wallet_id, start) for start in starts]


def first_entry_at(wallet_id: int) -> datetime | None:
    """Return since when a wallet has moved at all."""
    # In the order of its index: by id, all entries of all wallets might be searched.
    first = LedgerEntry.objects.filter(wallet_id=wallet_id, seq=1).order_by("seq")
    return first.values_list("occurred_at", flat=True).first()


def _rows(
    query: str, wallet_id: int, span: Span, zone: tzinfo, **asked: str
) -> list[_Row]:
    # No text in PostgreSQL has a null character: nothing there fits it.
    texts = {
        name: text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        for name, text in asked.items()
    }
    arguments = {
        "wallet_id": wallet_id,
        "zone": str(zone),
        "starts_at": span.starts_at,
        "first_day": span.first_whole_day,
        "last_day": span.days[-1].date,
        "stretch": "week" if span.is_by_week else "day",
        **texts,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        rows: list[_Row] = cursor.fetchall()
    return rows


def _used_since(wallet_id: int, start: datetime) -> int:
    day = start.astimezone(UTC).date()
    is_midnight = start == datetime.combine(day, time.min, tzinfo=UTC)
    first_whole_day = day if is_midnight else day + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [wallet_id, start, first_whole_day])
        [total] = cursor.fetchone() or (0,)
    return int(total)


def _used(sum_: _Sum, named: _Naming) -> tuple[str, str, RateUnit, str, int, int]:
    name = named(sum_.feature, sum_.rate_version)
    return (sum_.feature, *name, sum_.quantity, sum_.credits)


def _named(feature: str, version: int) -> _Name:
    if feature == GIVEN_BACK:  # it has no rate, and no version to ask for one
        return _("Given back"), RateUnit.PIECE, ""
    if rate := quoting.published_rate(feature, version):
        return rate.label, rate.unit, rate.shown_per
    label = _("Above the quote, not charged") if feature == ABSORBED else feature
    return label, RateUnit.PIECE, _("piece")
