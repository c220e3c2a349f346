"""What a lost dispute takes of a grant: what is free, and a debt for what was used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lot:
    """A grant as a dispute finds it, in credits.

    `used` is what jobs and older debts took, `removed` what others have taken back of
    it, `taken` and `owed` what this dispute has before.
    """

    granted: int
    free: int
    held: int
    used: int
    removed: int
    taken: int = 0
    owed: int = 0


@dataclass(frozen=True, slots=True)
class ClawBack:
    """So many credits to take now, so many to owe, and what waits for running jobs."""

    take: int
    owe: int
    waits: int


def claim_of(lot: Lot, *, amount_cents: int, paid_cents: int) -> int:
    """Return the credits that an amount stands for: its share, rounded down (R80).

    What was taken back for another reason is not claimed again.
    """
    if paid_cents <= 0:
        return 0
    share = lot.granted * min(amount_cents, paid_cents) // paid_cents
    return max(0, min(share, lot.granted - lot.removed))


def claw_back(lot: Lot, *, claim: int) -> ClawBack:
    """Return what is to be done about a claim, given what was done before (R83).

    What is free goes first. What jobs hold is left to them: it is used or free once
    they have settled. What has expired is gone for the customer already (R86).
    """
    left = max(0, claim - lot.taken - lot.owed)
    take = min(left, lot.free)
    owe = min(left - take, max(0, lot.used - lot.owed))
    return ClawBack(take=take, owe=owe, waits=min(left - take - owe, lot.held))


def back_of(lot: Lot) -> int:
    """Return what is free of a grant that was owed as used, and given back since."""
    return min(lot.free, max(0, lot.owed - lot.used))


def owed_cents(credits: int, *, granted: int, paid_cents: int) -> int:
    """Return what so many credits of a grant were paid with, half-even (R77, R78)."""
    whole, rest = divmod(credits * paid_cents, granted)
    doubled = 2 * rest
    is_up = doubled > granted or (doubled == granted and whole % 2 == 1)
    return whole + is_up
