"""Usage as the page shows it: shares of features and members, and a chart over time."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.templatetags.units import days_in_words
from credits import quoting
from credits.models import ABSORBED
from credits.usage import GIVEN_BACK, NOBODY, TAKEN_BACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime, tzinfo

    from credits.core.spans import Day
    from credits.usage import Records, Used, UsedBy, UsedOn

OTHER = "other"

_COLORS = 6


@dataclass(frozen=True, slots=True)
class Share:
    """A feature or a member, and its part of what was used."""

    label: str
    credits: int
    percent: int
    quantity: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One color of the chart: a feature, or what is drawn together."""

    name: str
    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, or one week of a long span: credits of each series, and their sum.

    `words` say which days it holds.
    """

    days: tuple[Day, ...]
    words: str
    credits: tuple[int, ...]
    total: int
    is_incomplete: bool

    @property
    def label(self) -> str:
        """Return its words, and whether it is not over."""
        return f"{self.words}, {_('so far')}" if self.is_incomplete else self.words


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Usage of a span of time, or of one feature or member in it."""

    rows: tuple[UsedOn, ...]
    features: tuple[Share, ...]
    members: tuple[Share, ...]
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    is_by_week: bool
    total: int
    left_out: tuple[str, ...]
    not_charged_jobs: int

    @property
    def busiest(self) -> Bar:
        """Return the bar with the most credits, the first of equals."""
        return max(self.bars, key=lambda bar: bar.total)

    @property
    def has_hatched(self) -> bool:
        """Whether anything is drawn of a day or week that is not over yet."""
        return any(bar.is_incomplete and any(bar.credits) for bar in self.bars)

    @property
    def busy_bars(self) -> tuple[Bar, ...]:
        """Return the bars in which anything was used or given back."""
        dates = {row.date for row in self.rows}
        return tuple(bar for bar in self.bars if bar.days[0].date in dates)


def report_on(records: Records, *, zone: tzinfo, at: datetime) -> UsageReport:
    """Return the usage of all, of one feature, of one member, or of both, as asked for.

    What was taken back belongs to a job, not to a feature: one feature shows none.
    """
    rows = records.by_stretch
    series = _series(rows)
    stretches = records.span.stretches
    return UsageReport(
        rows=rows,
        features=_feature_shares(rows, series),
        members=_member_shares(records.asked_for),
        series=series,
        bars=_bars(rows, series, stretches, today=at.astimezone(zone).date()),
        is_by_week=records.span.is_by_week,
        total=sum(row.credits for row in rows),
        left_out=tuple(sorted({row.label for row in records.left_out})),
        not_charged_jobs=records.not_charged_jobs,
    )


def features_in(records: Records) -> list[tuple[str, str]]:
    """Return the features that were used, name and label, by label."""
    used = {(row.feature, row.label) for row in records.by_member if row.is_feature}
    return sorted(used, key=lambda feature: feature[1])


def members_in(records: Records) -> list[tuple[str, str]]:
    """Return who used anything, name and label, by name."""
    used = {(row.member or NOBODY, row.member_label) for row in records.by_member}
    return sorted(used)


def _series(rows: Iterable[Used]) -> tuple[Series, ...]:
    labels = {row.feature: row.label for row in rows}
    ranked = [name for name in _ranked(rows) if name not in TAKEN_BACK]
    # More features than colors: the last color is for all the others.
    several = len(ranked) > _COLORS
    own = ranked[: _COLORS - 1] if several else ranked
    return (
        *(Series(name, labels[name], str(n)) for n, name in enumerate(own, start=1)),
        *([Series(OTHER, _("Other features"), OTHER)] if several else []),
        *(
            Series(name, labels[name], name)
            for name in (ABSORBED, GIVEN_BACK)
            if name in labels
        ),
    )


def _ranked(rows: Iterable[Used]) -> list[str]:
    """Return the features from the most credits to the least."""
    credits = Counter[str]()
    for row in rows:
        credits[row.feature] += row.credits
    return [name for name, _sum in credits.most_common()]


def _feature_shares(
    rows: Sequence[Used], series: Iterable[Series]
) -> tuple[Share, ...]:
    tones = {one.name: one.tone for one in series}
    by_feature = defaultdict(list)
    for row in rows:
        by_feature[row.feature].append(row)
    charged = _charged(rows)
    return tuple(
        _feature_share(by_feature[name], charged, tones.get(name, OTHER))
        for name in _ranked(rows)
    )


def _feature_share(ours: Sequence[Used], charged: int, tone: str) -> Share:
    first = ours[0]
    credits = sum(row.credits for row in ours)
    quantity = sum(row.quantity for row in ours)
    return Share(
        label=first.label,
        credits=credits,
        percent=_percent(credits, charged),
        quantity=quoting.quantity_text(first.unit, quantity, first.shown_per)
        if first.is_feature
        else "",
        tone=tone,
    )


def _member_shares(rows: Sequence[UsedBy]) -> tuple[Share, ...]:
    credits = Counter[str]()
    for row in rows:
        credits[row.member_label] += row.credits
    charged = _charged(rows)
    return tuple(
        Share(label, sum_, _percent(sum_, charged))
        for label, sum_ in credits.most_common()
    )


def _charged(rows: Iterable[Used]) -> int:
    return sum(row.credits for row in rows if row.is_feature)


def _percent(credits: int, charged: int) -> int:
    """Return the share of all that was charged, rounded down; a bar's length."""
    return max(credits, 0) * 100 // charged if charged > 0 else 0


def _bars(
    rows: Iterable[UsedOn],
    series: Sequence[Series],
    stretches: Sequence[tuple[Day, ...]],
    *,
    today: date,
) -> tuple[Bar, ...]:
    named = {one.name for one in series}
    place = {days[0].date: n for n, days in enumerate(stretches)}
    credits = Counter[tuple[int, str]]()
    for row in rows:
        name = row.feature if row.feature in named else OTHER
        credits[place[row.date], name] += row.credits
    return tuple(
        Bar(
            days=days,
            words=days_in_words(days[0].date, days[-1].date),
            credits=(parts := tuple(credits[n, one.name] for one in series)),
            total=sum(parts),
            is_incomplete=days[0].date <= today <= days[-1].date,
        )
        for n, days in enumerate(stretches)
    )
