"""A rehearsal: what auto-reload would have charged for an account's own last days.

Each movement of the wallet is lived through again, with the credits on top that the
reloads before would have brought, and decided by the very policy that charges.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from billing.core import reload_policy as policy
from billing.core.periods import cycle_index
from billing.core.reload_policy import Figures, Month
from credits.models import CreditGrant, EntryKind, GrantSource, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.core.reload_policy import Block, Limits
    from credits.models import Wallet

DAYS = 90
_MOST_MOVEMENTS = 100_000
_DRAWS = {EntryKind.SPEND, EntryKind.HOLD}


@dataclass(frozen=True, slots=True)
class Movement:
    """How far one entry changed what is available, and whether a job did it."""

    at: datetime
    credits: int
    is_draw: bool


@dataclass(frozen=True, slots=True)
class WouldCharge:
    """A charge that would have been made."""

    at: datetime
    available: int
    credits: int
    cents: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The charges of the days since `since`, and how often a limit would have held."""

    since: datetime
    charges: tuple[WouldCharge, ...]
    held_back: int

    @property
    def cents(self) -> int:
        """Return what all of them come to."""
        return sum(charge.cents for charge in self.charges)


def rehearse(
    wallet: Wallet, *, limits: Limits, block: Block, anchor_at: datetime, at: datetime
) -> Rehearsal:
    """Return what these limits would have charged in the last 90 days.

    Months are counted from the anchor of the plan that the account is on now (R50).
    """
    since = at - timedelta(days=DAYS)
    moved, reloaded = _movements(wallet, since)
    if len(moved) == _MOST_MOVEMENTS:
        since = moved[0].at
    began_with = wallet.available - sum(one.credits for one in moved) - reloaded
    charges, held_back = replay(
        moved, began_with, limits=limits, block=block, anchor_at=anchor_at
    )
    return Rehearsal(since, charges, held_back)


def replay(
    moved: Iterable[Movement],
    began_with: int,
    *,
    limits: Limits,
    block: Block,
    anchor_at: datetime,
) -> tuple[tuple[WouldCharge, ...], int]:
    """Return the charges along some movements, and at how many others a limit held."""
    run = _Run(began_with, limits, block)
    for movement in moved:
        run.live_through(movement, month=cycle_index(anchor_at, movement.at))
    return tuple(run.charges), run.held_back


class _Run:
    """The days lived through again, up to a movement."""

    def __init__(self, available: int, limits: Limits, block: Block) -> None:
        self.charges: list[WouldCharge] = []
        self.held_back = 0
        self._available, self._limits, self._block = available, limits, block
        self._number_of_month: int | None = None
        self._month = Month()
        self._has_used = True

    def live_through(self, movement: Movement, *, month: int) -> None:
        """Let a movement happen in a month of this number, and decide after it."""
        if month != self._number_of_month:
            self._number_of_month, self._month = month, Month()
        # Jobs that not even the reloads could pay for would have been refused.
        self._available = max(self._available + movement.credits, 0)
        self._has_used = self._has_used or movement.is_draw
        match policy.decide(self._figures(movement.at), self._limits, self._block):
            case policy.Reload(blocks=blocks):
                self._charge(movement.at, blocks)
            case policy.Skip() if movement.is_draw:
                self.held_back += 1

    def _figures(self, at: datetime) -> Figures:
        newest = self.charges[: -policy.MOST_IN_BURST - 1 : -1]
        return Figures(
            at=at,
            available=self._available,
            month=self._month,
            reloaded_at=tuple(charge.at for charge in newest),
            has_used_since=self._has_used,
        )

    def _charge(self, at: datetime, blocks: int) -> None:
        credits, cents = blocks * self._block.credits, blocks * self._block.cents
        self.charges.append(WouldCharge(at, self._available, credits, cents))
        self._available += credits
        self._month = Month(self._month.cents + cents, self._month.count + 1)
        self._has_used = False


def _movements(wallet: Wallet, since: datetime) -> tuple[list[Movement], int]:
    """Return what moved the wallet, oldest first, and the real reloads left out."""
    entries = LedgerEntry.objects.filter(wallet=wallet, occurred_at__gte=since)
    newest = entries.order_by("-seq").values_list(
        "occurred_at", "credits", "held", "frozen", "kind", "idempotency_key"
    )
    reloads = dict(
        CreditGrant.objects.filter(
            wallet=wallet, source=GrantSource.RELOAD, created_at__gte=since
        ).values_list("source_key", "granted")
    )
    moved = [
        Movement(
            at,
            0 if key in reloads else credits - held - frozen,
            kind in _DRAWS,
        )
        for at, credits, held, frozen, kind, key in reversed(newest[:_MOST_MOVEMENTS])
    ]
    return moved, sum(reloads.values())
