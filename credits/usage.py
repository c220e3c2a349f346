"""What was used, by day, feature and member: the ledger's figures, added up.

Used credits are those of spends and captures; what was given back is counted on the
day it was, under the member whose job it was. Days are those of a time zone (R16).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext as _

from credits import quoting
from credits.models import (
    ABSORBED,
    EntryKind,
    HoldState,
    LedgerEntry,
    RateUnit,
    UsageLine,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from django.db.models import QuerySet

    from credits.core.spans import Span

# Stands where a feature stands, as ABSORBED does: neither is one.
GIVEN_BACK = "given-back"

_CHARGES = (EntryKind.SPEND, EntryKind.CAPTURE)
_MOVES_USAGE = (*_CHARGES, EntryKind.REVERSE)
# Commands that wait for each other's lock may be numbered out of their order in time.
_OUT_OF_ORDER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one member used of one feature on one day; negative: not charged."""

    date: date
    feature: str
    label: str
    member: str
    quantity: int
    unit: RateUnit
    shown_per: str
    credits: int

    @property
    def is_feature(self) -> bool:
        """Whether something was measured, not a charge taken back."""
        return self.feature not in {ABSORBED, GIVEN_BACK}

    @property
    def member_label(self) -> str:
        """Return who used it, as people read it."""
        return self.member or _("No member named")


@dataclass(frozen=True, slots=True)
class Records:
    """All usage of a span; of each member, how many jobs were not charged."""

    span: Span
    rows: tuple[UsageRow, ...]
    not_charged: Counter[str]


def records_of(wallet_id: int, *, span: Span, zone: tzinfo) -> Records:
    """Return all usage of a wallet in a span, by days of a zone: four queries."""
    until = Q(occurred_at__lt=span.ends_at)
    entries = _entries_since(wallet_id, span.starts_at).filter(until)
    rows = [*_used(entries, zone), *_given_back(entries, zone)]
    # A stable sort: what was given back on a day follows what was used on it.
    rows.sort(key=lambda row: row.date)
    return Records(span, tuple(rows), _not_charged(entries))


def used_since(wallet_id: int, starts: Sequence[datetime]) -> list[int]:
    """Return the credits used since each instant, less what was given back."""
    recent = _entries_since(wallet_id, min(starts)).filter(kind__in=_MOVES_USAGE)
    sums = {
        f"sum_{n}": Coalesce(Sum("credits", filter=Q(occurred_at__gte=start)), 0)
        for n, start in enumerate(starts)
    }
    return [-credits for credits in recent.aggregate(**sums).values()]


def first_entry_at(wallet_id: int) -> datetime | None:
    """Return since when a wallet has moved at all."""
    first = LedgerEntry.objects.filter(wallet_id=wallet_id, seq=1)
    return first.values_list("occurred_at", flat=True).first()


def _entries_since(wallet_id: int, since: datetime) -> QuerySet[LedgerEntry]:
    """Return entries from an instant on, found from the newest backwards.

    There is no index on time: each spend would pay for it. Numbers follow time
    closely, though, so the newest older entry tells where to begin.
    """
    ours = LedgerEntry.objects.filter(wallet_id=wallet_id)
    # Only these kinds: others may be dated back, as an expiry found late.
    older = ours.filter(
        kind__in=_MOVES_USAGE, occurred_at__lt=since - _OUT_OF_ORDER
    ).order_by("-seq")
    # A query of its own: the planner takes the index only for a number it can see.
    begin = older.values_list("seq", flat=True).first() or 0
    return ours.filter(seq__gt=begin, occurred_at__gte=since)


def _used(entries: QuerySet[LedgerEntry], zone: tzinfo) -> list[UsageRow]:
    groups = (
        UsageLine.objects.filter(entry__in=entries.filter(kind__in=_CHARGES))
        .values("feature", "entry__member")
        .annotate(day=TruncDate("entry__occurred_at", tzinfo=zone))
        .annotate(n=Sum("quantity"), sum=Sum("credits"), version=Max("rate_version"))
        .order_by("day", "feature", "entry__member")
    )
    return [_row(group) for group in groups]


def _row(group: Mapping[str, Any]) -> UsageRow:
    feature = group["feature"]
    rate = quoting.published_rate(feature, group["version"])
    label = _("Above the quote, not charged") if feature == ABSORBED else feature
    return UsageRow(
        date=group["day"],
        feature=feature,
        label=rate.label if rate else label,
        member=group["entry__member"],
        quantity=group["n"],
        unit=rate.unit if rate else RateUnit.PIECE,
        shown_per=rate.shown_per if rate else _("piece"),
        credits=group["sum"],
    )


def _given_back(entries: QuerySet[LedgerEntry], zone: tzinfo) -> list[UsageRow]:
    groups = (
        entries.filter(kind=EntryKind.REVERSE)
        .values("reverses__member")
        .annotate(day=TruncDate("occurred_at", tzinfo=zone), sum=Sum("credits"))
        .order_by("day", "reverses__member")
    )
    return [
        UsageRow(
            date=group["day"],
            feature=GIVEN_BACK,
            label=_("Given back"),
            member=group["reverses__member"],
            quantity=0,
            unit=RateUnit.PIECE,
            shown_per="",
            credits=-group["sum"],
        )
        for group in groups
    ]


def _not_charged(entries: QuerySet[LedgerEntry]) -> Counter[str]:
    ended = entries.filter(
        kind=EntryKind.RELEASE,
        hold__state__in=[HoldState.RELEASED, HoldState.EXPIRED],
        hold__captured=0,
    )
    groups = ended.values("hold__member").annotate(n=Count("hold", distinct=True))
    return Counter({group["hold__member"]: group["n"] for group in groups})
