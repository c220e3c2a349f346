"""What goes back for what: money for unspent credits, credits for returned money.

Whole credits and whole cents. What a refund claims of a payment's credits is taken as
a lost dispute takes it: see `claims`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from billing.core.claims import Lot, claw_back, owed_cents

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as a refund finds it.

    `lot` is what it paid for, and says what this refund has taken and is owed before.
    Of its credits some belong to months still `to_come`, and some have `expired` that
    no refund was for. The others are sums over all earlier refunds: money, and the
    credits that this money was for.
    """

    cents: int
    lot: Lot
    to_come: int = 0
    expired: int = 0
    refunded_cents: int = 0
    refunded_credits: int = 0

    @property
    def left_cents(self) -> int:
        """Return what can still be refunded."""
        return max(0, self.cents - self.refunded_cents)

    @property
    def unspent(self) -> int:
        """Return the credits that nobody has used or holds (R77)."""
        return self.lot.free + self.to_come


@dataclass(frozen=True, slots=True)
class Effect:
    """What a refund does, in credits: it adds up to those that the money is for.

    What jobs hold is `waiting`; `owed_cents` is what the owed credits were paid with.
    """

    removed: int
    to_come: int
    expired: int
    waiting: int
    owed: int
    owed_cents: int


def unspent_cents(paid: Paid) -> int:
    """Return the money for what is unspent: its share of the price, half-even.

    All of it for a payment of which nothing was used, or that brought no credits.

    Source: docs/rules.md R76, R77.
    """
    if paid.lot.granted == 0:
        return paid.left_cents
    share = owed_cents(paid.unspent, granted=paid.lot.granted, paid_cents=paid.cents)
    return min(share, paid.left_cents)


def effect_of(paid: Paid, *, cents: int, takes_all_left: bool) -> Effect:
    """Return what refunding so many cents does to the credits that were paid for.

    The credits follow the money, rounded down over all refunds together; a refund of
    all that is left takes that, however its money was rounded. What was spent is owed.

    Source: docs/rules.md R77, R78, R80, R86.
    """
    claim = _claim(paid, cents)
    if takes_all_left:
        claim = max(claim, paid.unspent)
    to_come = min(claim, paid.to_come)
    # R86: before anybody owes, money goes back for what nobody had anything of.
    expired = min(max(0, claim - paid.unspent), paid.expired)
    due = claw_back(paid.lot, claim=claim - to_come - expired)
    removed, owed = paid.lot.taken + due.take, paid.lot.owed + due.owe
    return Effect(
        removed=removed,
        to_come=to_come,
        expired=expired,
        waiting=due.waits,
        owed=owed,
        owed_cents=_owed_cents(paid, owed),
    )


def settled(paid: Paid, before: Effect) -> Effect:
    """Return a refund's effect once jobs have used or given back what they held."""
    claim = before.removed + before.owed + before.waiting
    due = claw_back(paid.lot, claim=claim)
    removed, owed = paid.lot.taken + due.take, paid.lot.owed + due.owe
    return replace(
        before,
        removed=removed,
        owed=owed,
        owed_cents=_owed_cents(paid, owed),
        waiting=due.waits,
        expired=before.expired + max(0, claim - removed - owed - due.waits),
    )


def _claim(paid: Paid, cents: int) -> int:
    """R80: the share of all that was refunded, less what went with it before."""
    if paid.cents <= 0:
        return 0
    refunded = min(paid.cents, paid.refunded_cents + cents)
    return max(0, refunded * paid.lot.granted // paid.cents - paid.refunded_credits)


def _owed_cents(paid: Paid, owed: int) -> int:
    if not owed:
        return 0
    return owed_cents(owed, granted=paid.lot.granted, paid_cents=paid.cents)


def cost_of_debt(credits: int, incurred: Sequence[tuple[int, int]]) -> int:
    """Return what so many owed credits were paid with, in cents, half-even.

    `incurred` are the debts that were made, as credits and cents, the newest first:
    what was paid back since has paid the oldest ones.

    Source: docs/rules.md R78, R79.
    """
    cents = 0
    for owed, paid in incurred:
        part = min(credits, owed)
        cents += owed_cents(part, granted=owed, paid_cents=paid)
        credits -= part
    return cents
