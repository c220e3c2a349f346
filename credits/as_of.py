"""What a wallet was at any past instant, explained to single entries.

A figure as of T is the sum of the entries whose business time is T or earlier. In which
order they were posted decides nothing: what was written down late, such as an expiry
that nobody had noticed, counts from when it happened (R17). As known at K, only what
had been written down by K counts. Both instants are included, and as of now the figures
are the wallet's own (R110). Where two programs posted within a moment of each other, a
figure may for that moment be below zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count, F, Sum

from credits.models import (
    CreditGrant,
    EntryKind,
    GrantDraw,
    GrantSource,
    LedgerEntry,
    Wallet,
)
from credits.statements import source_label, up_to_date

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable
    from django_stubs_ext import WithAnnotations


class Figure(StrEnum):
    """A figure of a wallet (R10), with what is owed."""

    POSTED = "posted"
    HELD = "held"
    FROZEN = "frozen"
    AVAILABLE = "available"
    DEBT = "debt"


# How an entry changes each figure.
_CHANGES: dict[Figure, Combinable] = {
    Figure.POSTED: F("credits"),
    Figure.HELD: F("held"),
    Figure.FROZEN: F("frozen"),
    Figure.AVAILABLE: F("credits") - F("held") - F("frozen"),
    Figure.DEBT: F("debt"),
}


class _Change(TypedDict):
    change: int


@dataclass(frozen=True, slots=True)
class AsOf:
    """What counts: a wallet's entries until an instant, as known at another.

    The number of the last entry there was keeps all questions to one state of the
    ledger, whatever is posted in between.
    """

    wallet_id: int
    instant: datetime
    known_at: datetime | None
    last_seq: int

    @property
    def entries(self) -> QuerySet[LedgerEntry]:
        """Return the entries that count."""
        entries = LedgerEntry.objects.filter(
            wallet_id=self.wallet_id,
            seq__lte=self.last_seq,
            occurred_at__lte=self.instant,
        )
        return (
            entries.filter(created_at__lte=self.known_at) if self.known_at else entries
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of R10, and what is owed."""

    posted: int
    held: int
    frozen: int
    debt: int

    @property
    def available(self) -> int:
        """Return what could be spent: posted less held less frozen."""
        return self.posted - self.held - self.frozen


@dataclass(frozen=True, slots=True)
class GrantThen:
    """What was left of a grant. Its expiry is the one known today."""

    id: int
    label: str
    granted: int
    remaining: int
    held: int
    frozen: int
    effective_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class WalletThen:
    """A wallet's figures, and the grants that make them up, soonest expiry first."""

    figures: Figures
    entries: int
    grants: tuple[GrantThen, ...]


@dataclass(frozen=True, slots=True)
class KindShare:
    """How much entries of one kind contribute to a figure."""

    kind: EntryKind
    entries: int
    change: int


@dataclass(frozen=True, slots=True)
class EntryShare:
    """How much one entry contributes to a figure."""

    seq: int
    kind: EntryKind
    change: int
    who: str
    reference: str
    reason: str
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure as the sum of its entries: by kind, and a page of them, newest first."""

    total: int
    kinds: tuple[KindShare, ...]
    entries: tuple[EntryShare, ...]
    next_before_seq: int | None


def as_of(
    wallet_id: int, *, instant: datetime, known_at: datetime | None = None, at: datetime
) -> AsOf:
    """Return what to ask of a wallet's past, once all that is due by `at` is posted.

    Raises:
        Wallet.DoesNotExist: there is none of this id.
    """
    wallet = up_to_date(Wallet.objects.get(pk=wallet_id), at=at)
    return AsOf(wallet_id, instant, known_at, wallet.seq)


def wallet_then(asked: AsOf) -> WalletThen:
    """Return a wallet's figures and grants as they were.

    Source: docs/rules.md R10, R110.
    """
    sums = asked.entries.aggregate(
        entries=Count("id"),
        **{
            name: Sum(name, default=0) for name in ("credits", "held", "frozen", "debt")
        },
    )
    figures = Figures(sums["credits"], sums["held"], sums["frozen"], sums["debt"])
    return WalletThen(figures, sums["entries"], _grants(asked))


def explain(
    asked: AsOf,
    what: Figure | int,
    *,
    kind: EntryKind | None = None,
    before_seq: int | None = None,
    limit: int = 50,
) -> Explanation:
    """Return the entries that make a figure, or what is left of the grant of an id.

    Of one kind, and older ones, if asked; the total and the kinds are always all.
    """
    moving = _moving(asked, what)
    kinds = tuple(
        KindShare(EntryKind(name), count, change)
        for name, count, change in moving.values("kind")
        .annotate(entries=Count("id"), sum=Sum("change"))
        .values_list("kind", "entries", "sum")
        .order_by("kind")
    )
    shown = moving.filter(kind=kind) if kind else moving
    if before_seq is not None:
        shown = shown.filter(seq__lt=before_seq)
    # One more than asked for tells whether there is another page.
    found = list(shown.order_by("-seq")[: limit + 1])
    return Explanation(
        total=sum(share.change for share in kinds),
        kinds=kinds,
        entries=tuple(map(_entry_share, found[:limit])),
        next_before_seq=found[limit - 1].seq if len(found) > limit else None,
    )


def _moving(
    asked: AsOf, what: Figure | int
) -> QuerySet[WithAnnotations[LedgerEntry, _Change]]:
    """Return the entries that change it, each with its `change`."""
    if isinstance(what, Figure):
        entries = asked.entries.annotate(change=_CHANGES[what])
    else:
        drawing = asked.entries.filter(draws__grant_id=what)
        entries = drawing.annotate(change=F("draws__credits"))
    return entries.exclude(change=0)


def _entry_share(entry: WithAnnotations[LedgerEntry, _Change]) -> EntryShare:
    return EntryShare(
        seq=entry.seq,
        kind=EntryKind(entry.kind),
        change=entry.change,
        who=entry.member or entry.actor,
        reference=entry.reference,
        reason=entry.reason,
        occurred_at=entry.occurred_at,
        recorded_at=entry.created_at,
    )


def _grants(asked: AsOf) -> tuple[GrantThen, ...]:
    left = {
        grant_id: moved
        for grant_id, *moved in GrantDraw.objects.filter(entry__in=asked.entries)
        .values("grant_id")
        .annotate(left=Sum("credits"), held=Sum("held"), frozen=Sum("frozen"))
        .values_list("grant_id", "left", "held", "frozen")
        if any(moved)
    }
    grants = CreditGrant.objects.filter(pk__in=left)
    return tuple(
        _grant_then(grant, *left[grant.pk])
        for grant in grants.order_by(F("expires_at").asc(nulls_last=True), "id")
    )


def _grant_then(
    grant: CreditGrant, remaining: int, held: int, frozen: int
) -> GrantThen:
    return GrantThen(
        id=grant.pk,
        label=source_label(GrantSource(grant.source)),
        granted=grant.granted,
        remaining=remaining,
        held=held,
        frozen=frozen,
        effective_at=grant.effective_at,
        expires_at=grant.expires_at,
    )
