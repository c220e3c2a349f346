"""What people read about a wallet: its balance and its statement, as values.

Reads expire first what is due, so nothing that is gone is ever shown (R5, R17).
Every page, answer and e-mail takes its figures from here (R110).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Least
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.templatetags import units
from credits import ledger, quoting
from credits.models import (
    ABSORBED,
    CreditGrant,
    EntryKind,
    GrantDraw,
    GrantSource,
    LedgerEntry,
    RateUnit,
    UsageLine,
    Wallet,
    WalletUnit,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

MAX_ROWS = 200

_SOURCE_LABELS = {
    GrantSource.PLAN: gettext_lazy("Monthly credits"),
    GrantSource.UPGRADE: gettext_lazy("Upgrade credits"),
    GrantSource.PURCHASE: gettext_lazy("Purchased credits"),
    GrantSource.RELOAD: gettext_lazy("Auto-reload credits"),
    GrantSource.ADJUSTMENT: gettext_lazy("Adjustment"),
    GrantSource.PROMO: gettext_lazy("Promotional credits"),
    GrantSource.RESTORE: gettext_lazy("Restored credits"),
    GrantSource.PACK: gettext_lazy("Pack of premium credits"),
}
_JOBS = {EntryKind.SPEND, EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE}
FROM_PLAN = {GrantSource.PLAN, GrantSource.UPGRADE}

# R15: what plans gave ends with the plan at the latest.
ENDS_AT = Case(
    When(
        Q(source__in=FROM_PLAN, wallet__plan_is_over=False),
        then=Least("expires_at", "wallet__plan_ends_at"),
    ),
    default=F("expires_at"),
)
# R2: as `ledger_spendable` in credits/sql/_steps.sql draws.
_CONSUMPTION_ORDER = (
    F("ends_at").asc(nulls_last=True),
    Case(
        When(source__in=[GrantSource.PROMO, GrantSource.ADJUSTMENT], then=Value(0)),
        When(source__in=FROM_PLAN, then=Value(1)),
        default=Value(2),
    ),
    F("effective_at"),
    F("id"),
)


@dataclass(frozen=True, slots=True)
class GrantView:
    """Credits that came together, and what is left of them."""

    id: int
    source: GrantSource
    label: str
    granted: int
    remaining: int
    held: int
    is_frozen: bool
    is_rolled_over: bool
    effective_at: datetime
    expires_at: datetime | None

    @property
    def usable(self) -> int:
        """Return what a new job can draw."""
        return 0 if self.is_frozen else self.remaining - self.held


@dataclass(frozen=True, slots=True)
class Balance:
    """The figures of R10, and the grants they are made of in the order of use (R2)."""

    posted: int
    held: int
    frozen: int
    available: int
    debt: int
    next_expiry_at: datetime | None
    next_expiry_credits: int
    grants: tuple[GrantView, ...]


@dataclass(frozen=True, slots=True)
class DrawView:
    """How far one entry changed one grant; `credits` is signed like the entry."""

    grant_id: int
    label: str
    credits: int
    remaining_after: int
    granted: int
    expires_at: datetime | None

    @property
    def left_then(self) -> str:
        """Return how much of the grant was left after it, as people read it."""
        return _("%(left)s of %(all)s left then") % {
            "left": units.credits(self.remaining_after),
            "all": units.credits(self.granted),
        }


@dataclass(frozen=True, slots=True)
class LineView:
    """One measured line of a job, at the rate it was charged at."""

    feature: str
    label: str
    quantity: int
    unit: RateUnit
    shown_per: str
    rate_version: int
    credits: int

    @property
    def text(self) -> str:
        """Return the feature and how much of it, as people say it."""
        if self.feature == ABSORBED:
            return self.label
        amount = quoting.quantity_text(self.unit, self.quantity, self.shown_per)
        return f"{self.label}, {amount}"


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement, what it was for and which grants it touched."""

    seq: int
    kind: EntryKind
    credits: int
    balance_after: int
    description: str
    who: str
    reference: str
    reason: str
    occurred_at: datetime
    draws: tuple[DrawView, ...]
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Movements, newest first, and where the older ones begin."""

    rows: tuple[StatementRow, ...]
    next_before_seq: int | None


def wallets_of(account_id: int) -> tuple[Wallet, ...]:
    """Return an account's wallets, the one first that pages mean without a word.

    It is that of credits, unless only premium credits ever moved (R34).
    """
    wallets = Wallet.objects.filter(account_id=account_id)
    return tuple(
        sorted(
            wallets, key=lambda each: (not each.seq, each.unit != WalletUnit.CREDITS)
        )
    )


def balance_of(wallet_id: int, *, at: datetime) -> Balance:
    """Return a wallet's figures and open grants.

    Raises:
        Wallet.DoesNotExist: there is none of this id.

    Source: docs/rules.md R2, R10.
    """
    wallet = up_to_date(Wallet.objects.get(pk=wallet_id), at=at)
    grants = tuple(
        _grant_view(grant, wallet, ends_at=grant.ends_at)
        for grant in CreditGrant.objects.filter(wallet_id=wallet_id, is_open=True)
        .annotate(ends_at=ENDS_AT)
        .order_by(*_CONSUMPTION_ORDER)
    )
    # The wallet's own date may be that of a grant which is used up by now.
    ending = [grant.expires_at for grant in grants if grant.expires_at and grant.usable]
    next_expiry_at = min(ending, default=None)
    return Balance(
        posted=wallet.balance,
        held=wallet.held,
        frozen=wallet.frozen,
        available=wallet.available,
        debt=wallet.debt,
        next_expiry_at=next_expiry_at,
        next_expiry_credits=sum(
            grant.usable
            for grant in grants
            if next_expiry_at and grant.expires_at == next_expiry_at
        ),
        grants=grants,
    )


def up_to_date(wallet: Wallet, *, at: datetime) -> Wallet:
    """Return the wallet with everything expired that is due."""
    if wallet.next_expiry_at and wallet.next_expiry_at <= at:
        ledger.expire_wallet(wallet_id=wallet.pk, at=at)
        wallet.refresh_from_db()
    return wallet


def statement_for(
    wallet_id: int,
    *,
    at: datetime,
    before_seq: int | None = None,
    limit: int = 40,
    kinds: Collection[EntryKind] = (),
) -> StatementPage:
    """Return up to `limit` movements older than `before_seq`, newest first.

    Of some kinds only, if asked: jobs, or what has an index (`entry_seldom_kind`).
    """
    up_to_date(Wallet.objects.get(pk=wallet_id), at=at)
    entries = LedgerEntry.objects.filter(wallet_id=wallet_id).order_by("-seq")
    if before_seq is not None:
        entries = entries.filter(seq__lt=before_seq)
    if kinds:
        entries = entries.filter(kind__in=kinds)
    # One more than asked for tells whether there is another page.
    found = list(entries[: limit + 1])
    rows = _rows(found[:limit])
    return StatementPage(
        rows=rows, next_before_seq=rows[-1].seq if len(found) > limit else None
    )


def rows_of(entry_ids: Sequence[int]) -> tuple[StatementRow, ...]:
    """Return these movements, in this order."""
    entries = LedgerEntry.objects.in_bulk(entry_ids)
    return _rows([entries[entry_id] for entry_id in entry_ids])


def source_label(source: GrantSource) -> str:
    """Return what people call credits that come from there."""
    return str(_SOURCE_LABELS[source])


def lines_of(entry_ids: Sequence[int]) -> dict[int, tuple[LineView, ...]]:
    """Return what each job used, at the rates it was charged at, by its entry."""
    lines = _lines(entry_ids)
    return {entry_id: tuple(lines[entry_id]) for entry_id in entry_ids}


def _grant_view(
    grant: CreditGrant, wallet: Wallet, *, ends_at: datetime | None
) -> GrantView:
    source = GrantSource(grant.source)
    is_rolled_over = (
        source in FROM_PLAN
        and wallet.cycle_starts_at is not None
        and grant.effective_at < wallet.cycle_starts_at
    )
    return GrantView(
        id=grant.pk,
        source=source,
        label=_("Rolled-over credits") if is_rolled_over else source_label(source),
        granted=grant.granted,
        remaining=grant.remaining,
        held=grant.held,
        is_frozen=bool(grant.frozen_for),
        is_rolled_over=is_rolled_over,
        effective_at=grant.effective_at,
        expires_at=ends_at,
    )


def _rows(entries: list[LedgerEntry]) -> tuple[StatementRow, ...]:
    ids = [entry.pk for entry in entries]
    draws, lines = _draws(ids), _lines(ids)
    return tuple(
        _row(entry, tuple(draws[entry.pk]), tuple(lines[entry.pk])) for entry in entries
    )


def _row(
    entry: LedgerEntry, draws: tuple[DrawView, ...], lines: tuple[LineView, ...]
) -> StatementRow:
    kind = EntryKind(entry.kind)
    return StatementRow(
        seq=entry.seq,
        kind=kind,
        credits=entry.credits,
        balance_after=entry.balance_after,
        description=_description(kind, draws, lines, debt=abs(entry.debt)),
        who=entry.member or (_key_name(entry.actor) if kind in _JOBS else ""),
        reference=entry.reference,
        reason=entry.reason,
        occurred_at=entry.occurred_at,
        draws=draws,
        lines=lines,
    )


def _description(
    kind: EntryKind,
    draws: tuple[DrawView, ...],
    lines: tuple[LineView, ...],
    *,
    debt: int,
) -> str:
    match kind:
        case EntryKind.DEBT | EntryKind.CLEAR_DEBT:
            # R78, R79: it moves no credits, so its amount has no column.
            return _("%(what)s: %(credits)s") % {"what": kind.label, "credits": debt}
        case EntryKind.SPEND | EntryKind.CAPTURE:
            return "; ".join(line.text for line in lines)
        case EntryKind.EXPIRE:
            return _("Expired: %(what)s") % {"what": draws[0].label.lower()}
        case EntryKind.GRANT:
            return draws[0].label
        case _:
            return str(kind.label)


def _key_name(actor: str) -> str:
    # The API signs with the name and the public id of its key.
    return actor.partition(" (key_")[0]


# Tuples, not models: a year's statement has hundreds of thousands of these.
def _draws(entry_ids: list[int]) -> defaultdict[int, list[DrawView]]:
    by_entry: defaultdict[int, list[DrawView]] = defaultdict(list)
    draws = GrantDraw.objects.filter(entry_id__in=entry_ids).values_list(
        *("entry_id", "grant_id", "grant__source", "credits", "remaining_after"),
        *("grant__granted", "grant__expires_at"),
    )
    for entry_id, grant_id, source, *figures in draws.order_by("entry_id", "position"):
        label = source_label(GrantSource(source))
        by_entry[entry_id].append(DrawView(grant_id, label, *figures))
    return by_entry


def _lines(entry_ids: Sequence[int]) -> defaultdict[int, list[LineView]]:
    by_entry: defaultdict[int, list[LineView]] = defaultdict(list)
    lines = UsageLine.objects.filter(entry_id__in=entry_ids).values_list(
        "entry_id", "feature", "quantity", "rate_version", "credits"
    )
    for entry_id, feature, *line in lines.order_by("entry_id", "position"):
        by_entry[entry_id].append(_line_view(feature, *line))
    return by_entry


def _line_view(
    feature: str, quantity: int, rate_version: int, credits: int
) -> LineView:
    rate = quoting.published_rate(feature, rate_version)
    is_absorbed = feature == ABSORBED
    name = _("Above the quote, not charged") if is_absorbed else feature
    return LineView(
        feature=feature,
        label=rate.label if rate else name,
        quantity=quantity,
        unit=rate.unit if rate else RateUnit.PIECE,
        shown_per=rate.shown_per if rate else _("piece"),
        rate_version=rate_version,
        credits=credits,
    )
