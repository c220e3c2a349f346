"""The provable statement of a period: opening, each movement, closing.

Movements are in the order of time, then of number. What there was before a period is
what there was after the one before it, so statements of adjacent periods join. The last
entry's number names the state of the ledger that a statement was made from: with it,
the same lines and the same seal come out for good (docs/statement-proof.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum
from django.utils.translation import gettext as _

from credits.models import (
    CreditGrant,
    EntryKind,
    GrantDraw,
    GrantSource,
    LedgerEntry,
    Wallet,
)
from credits.statements import rows_of, source_label, up_to_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from credits.statements import StatementRow

OPENING, CLOSING = "OPENING", "CLOSING"
_LINES = "SELECT * FROM statement_lines(%s, %s, %s, %s)"
_FIRST_LINES = f"{_LINES} WHERE place <= %s OR kind = '{CLOSING}'"
_AT_ONCE = 1_000
# Of what a line drew: by which entry each grant was brought, and its credits.
_DRAWN = re.compile(r"#(\d+) (-?\d+) ")


@dataclass(frozen=True, slots=True)
class Period:
    """What a statement is about: half-open, as far as an entry of the wallet."""

    wallet_id: int
    starts_at: datetime
    ends_at: datetime
    last_seq: int

    @property
    def entries(self) -> QuerySet[LedgerEntry]:
        """Return the movements in it."""
        return self.entries_so_far.filter(occurred_at__gte=self.starts_at)

    @property
    def entries_so_far(self) -> QuerySet[LedgerEntry]:
        """Return all movements until its end."""
        return LedgerEntry.objects.filter(
            wallet_id=self.wallet_id,
            seq__lte=self.last_seq,
            occurred_at__lt=self.ends_at,
        )


class Line(NamedTuple):
    """A line as it is sealed; in the opening and the closing one, what there is."""

    place: int
    entry_id: int | None
    number: int
    happened_at: datetime
    happened: str
    kind: str
    credits: int
    held: int
    frozen: int
    debt: int
    balance: int
    used: str
    drawn: str
    reference: str
    seal: str

    @property
    def available(self) -> int:
        """Return what can be spent, where a line says what there is (R10)."""
        return self.credits - self.held - self.frozen


@dataclass(frozen=True, slots=True)
class PaidFrom:
    """The grant that paid for a movement, by the number of what brought it."""

    label: str
    brought_by: int
    credits: int

    @property
    def text(self) -> str:
        """Return it in words, for a cell."""
        return _("%(label)s of entry %(number)s: %(credits)s") % {
            "label": self.label,
            "number": self.brought_by,
            "credits": self.credits,
        }


@dataclass(frozen=True, slots=True)
class Movement:
    """A line, what people read about it, and the grants that paid for it."""

    line: Line
    row: StatementRow
    paid_from: tuple[PaidFrom, ...]


@dataclass(frozen=True, slots=True)
class GrantMovement:
    """What a period did to one grant."""

    brought_by: int
    label: str
    effective_at: datetime
    expires_at: datetime | None
    opening: int
    came_in: int
    went_out: int

    @property
    def counts(self) -> bool:
        """Whether it had anything, or anything of it moved."""
        return bool(self.opening or self.came_in or self.went_out)

    @property
    def closing(self) -> int:
        """Return what was left of it at the end."""
        return self.opening + self.came_in + self.went_out


@dataclass(frozen=True, slots=True)
class KindTotal:
    """What all movements of a kind come to."""

    label: str
    entries: int
    credits: int


@dataclass(frozen=True, slots=True)
class PeriodStatement:
    """Opening, movements and closing, added up in two ways; some of the movements.

    `entries_since` counts what was posted after it in the wallet.
    """

    period: Period
    opening: Line
    movements: tuple[Movement, ...]
    closing: Line
    kinds: tuple[KindTotal, ...]
    grants: tuple[GrantMovement, ...]
    entries_since: int

    @property
    def count(self) -> int:
        """Return how many movements there are."""
        return self.closing.place - 1

    @property
    def seal(self) -> str:
        """Return the digest of all lines: two statements with it are the same."""
        return self.closing.seal


def period_of(
    wallet_id: int,
    *,
    starts_at: datetime,
    ends_at: datetime,
    last_seq: int | None = None,
    at: datetime,
) -> Period:
    """Return a period of a wallet: as far as it has come, or had at an entry.

    What is due by `at` is posted first (R17).

    Raises:
        Wallet.DoesNotExist: there is none of this id.
    """
    newest = up_to_date(Wallet.objects.get(pk=wallet_id), at=at).seq
    last_seq = newest if last_seq is None else min(last_seq, newest)
    return Period(wallet_id, starts_at, ends_at, last_seq)


def statement_of(period: Period, *, limit: int) -> PeriodStatement:
    """Return the statement of a period, with its first `limit` movements.

    Source: docs/rules.md R110.
    """
    grants = _grants(period)
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_LINES, [*_arguments(period), limit])
        opening, *lines, closing = map(Line._make, cursor.fetchall())
    return PeriodStatement(
        period=period,
        opening=opening,
        movements=tuple(_movements(lines, _labels(grants))),
        closing=closing,
        kinds=_kinds(period),
        grants=tuple(grant for grant in grants if grant.counts),
        entries_since=Wallet.objects.get(pk=period.wallet_id).seq - period.last_seq,
    )


def all_lines(period: Period) -> Iterator[tuple[Line, Movement | None]]:
    """Yield every line; with what people read about it, if it is a movement.

    However many there are, a thousand of them are in memory.
    """
    labels = _labels(_grants(period))
    with connection.chunked_cursor() as cursor:
        cursor.execute(_LINES, _arguments(period))
        while rows := cursor.fetchmany(_AT_ONCE):
            lines = [Line._make(row) for row in rows]
            moving = [line for line in lines if line.entry_id]
            movements = {m.line.place: m for m in _movements(moving, labels)}
            for line in lines:
                yield line, movements.get(line.place)


def previous_cycle_starts_at(wallet: Wallet) -> datetime | None:
    """Return when the cycle before the present one began, by what the plan gave."""
    if wallet.cycle_starts_at is None:
        return None
    given = CreditGrant.objects.filter(
        draws__entry__wallet_id=wallet.pk,
        draws__entry__kind=EntryKind.GRANT,
        source=GrantSource.PLAN,
        effective_at__lt=wallet.cycle_starts_at,
    )
    latest: datetime | None = given.aggregate(at=Max("effective_at"))["at"]
    return latest


def _arguments(period: Period) -> list[int | datetime]:
    return [period.wallet_id, period.starts_at, period.ends_at, period.last_seq]


def _movements(lines: Iterable[Line], labels: dict[int, str]) -> Iterator[Movement]:
    by_entry = {line.entry_id: line for line in lines if line.entry_id}
    for row, line in zip(rows_of([*by_entry]), by_entry.values(), strict=True):
        yield Movement(line, row, tuple(_paid_from(line, labels)))


def _paid_from(line: Line, labels: dict[int, str]) -> Iterator[PaidFrom]:
    for number, change in _DRAWN.findall(line.drawn):
        if credits := int(change):
            yield PaidFrom(labels[int(number)], int(number), credits)


def _kinds(period: Period) -> tuple[KindTotal, ...]:
    totals: dict[str, KindTotal] = {}
    sums = period.entries.values("kind").annotate(
        entries=Count("id"), sum=Sum("credits"), first=Min("seq")
    )
    for row in sums.order_by("first"):
        # A job that was held is captured, and is used like any other.
        label = str(EntryKind(row["kind"]).label)
        so_far = totals.get(label, KindTotal(label, 0, 0))
        totals[label] = KindTotal(
            label, so_far.entries + row["entries"], so_far.credits + row["sum"]
        )
    return tuple(totals.values())


def _grants(period: Period) -> tuple[GrantMovement, ...]:
    """Return all grants until a period's end, in the order in which they came."""
    inside = Q(entry__occurred_at__gte=period.starts_at)
    amounts = (
        GrantDraw.objects.filter(entry__in=period.entries_so_far)
        .values("grant_id")
        .annotate(
            number=Min("entry__seq"),
            opening=Sum("credits", filter=~inside, default=0),
            came_in=Sum("credits", filter=inside & Q(credits__gt=0), default=0),
            went_out=Sum("credits", filter=inside & Q(credits__lt=0), default=0),
        )
        .order_by("number")
        .values_list("grant_id", "number", "opening", "came_in", "went_out")
    )
    grants = CreditGrant.objects.in_bulk([grant_id for grant_id, *_ in amounts])
    return tuple(
        GrantMovement(
            number,
            source_label(GrantSource(grants[grant_id].source)),
            grants[grant_id].effective_at,
            grants[grant_id].expires_at,
            *moved,
        )
        for grant_id, number, *moved in amounts
    )


def _labels(grants: Iterable[GrantMovement]) -> dict[int, str]:
    return {grant.brought_by: grant.label for grant in grants}
