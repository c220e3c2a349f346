"""Which plan can follow which, when, and by which rule: one table, and no other code.

What happens follows from the pair of plans, never from "costs more". A move that no
row names is refused: nobody enters a legacy plan (R34).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """The families of plans, by their codes in the catalogue."""

    FREE = "FREE"
    CREATOR = "CREATOR"
    PRO = "PRO"
    BUSINESS = "BUSINESS"
    LEGACY = "LEGACY"


class Move(StrEnum):
    """How a change is made: by a checkout, by a charge, by a schedule, by an end."""

    SUBSCRIBE = "SUBSCRIBE"
    UPGRADE = "UPGRADE"
    DOWNGRADE = "DOWNGRADE"
    CANCEL = "CANCEL"


class When(StrEnum):
    """When a change takes effect."""

    NOW = "NOW"
    CYCLE_END = "CYCLE_END"


class Than(StrEnum):
    """What a row asks of the new plan beside the old one."""

    ANY = ""
    MORE_CREDITS = "with more credits"
    FEWER_CREDITS = "with fewer credits"
    DEARER = "for more money"
    CHEAPER = "for no more money"
    AT_ONCE = "if asked for at once"


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan at an interval, as far as the table looks at it. Cents are a term's.

    `is_wanted_now` matters where the customer may choose between now and later (R34).
    """

    family: Family
    credits: int
    cents: int
    is_yearly: bool = False
    is_wanted_now: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: from a family to a family, how and when. `rule` decides it."""

    source: Family
    target: Family
    move: Move
    when: When
    rule: str
    than: Than = Than.ANY


_F, _M, _W = Family, Move, When

TRANSITIONS = (
    Transition(_F.FREE, _F.CREATOR, _M.SUBSCRIBE, _W.NOW, "R60"),
    Transition(_F.FREE, _F.PRO, _M.SUBSCRIBE, _W.NOW, "R60"),
    Transition(_F.FREE, _F.BUSINESS, _M.SUBSCRIBE, _W.NOW, "R60"),
    Transition(_F.CREATOR, _F.PRO, _M.UPGRADE, _W.NOW, "R21"),
    Transition(_F.CREATOR, _F.BUSINESS, _M.UPGRADE, _W.NOW, "R21"),
    Transition(_F.PRO, _F.PRO, _M.UPGRADE, _W.NOW, "R21", Than.MORE_CREDITS),
    Transition(_F.PRO, _F.PRO, _M.DOWNGRADE, _W.CYCLE_END, "R26", Than.FEWER_CREDITS),
    Transition(_F.PRO, _F.CREATOR, _M.DOWNGRADE, _W.CYCLE_END, "R26"),
    Transition(_F.PRO, _F.BUSINESS, _M.UPGRADE, _W.NOW, "R28", Than.DEARER),
    Transition(_F.PRO, _F.BUSINESS, _M.DOWNGRADE, _W.CYCLE_END, "R28", Than.CHEAPER),
    Transition(_F.BUSINESS, _F.PRO, _M.DOWNGRADE, _W.CYCLE_END, "R29"),
    Transition(_F.BUSINESS, _F.CREATOR, _M.DOWNGRADE, _W.CYCLE_END, "R29"),
    # Legacy plans are not at Stripe: they end, or are ended by paying for another one.
    Transition(_F.LEGACY, _F.CREATOR, _M.SUBSCRIBE, _W.NOW, "R34", Than.AT_ONCE),
    Transition(_F.LEGACY, _F.PRO, _M.SUBSCRIBE, _W.NOW, "R34", Than.AT_ONCE),
    Transition(_F.LEGACY, _F.BUSINESS, _M.SUBSCRIBE, _W.NOW, "R34", Than.AT_ONCE),
    Transition(_F.LEGACY, _F.CREATOR, _M.CANCEL, _W.CYCLE_END, "R34"),
    Transition(_F.LEGACY, _F.PRO, _M.CANCEL, _W.CYCLE_END, "R34"),
    Transition(_F.LEGACY, _F.BUSINESS, _M.CANCEL, _W.CYCLE_END, "R34"),
    Transition(_F.CREATOR, _F.FREE, _M.CANCEL, _W.CYCLE_END, "R58"),
    Transition(_F.PRO, _F.FREE, _M.CANCEL, _W.CYCLE_END, "R58"),
    Transition(_F.BUSINESS, _F.FREE, _M.CANCEL, _W.CYCLE_END, "R58"),
    Transition(_F.LEGACY, _F.FREE, _M.CANCEL, _W.CYCLE_END, "R34"),
)


def transition(old: Offer, new: Offer) -> Transition | None:
    """Return how an account moves from one offer to another; None: it cannot.

    A longer interval begins at once (R30), a shorter one when the term ends (R31);
    a move that also changes the plan waits if either of them has to.

    Source: docs/rules.md R21, R26 to R35, R58, R60.
    """
    by_plan = _by_plan(old, new)
    by_interval = _by_interval(old, new)
    if by_plan is None and _is_same_plan(old, new):
        return by_interval
    if by_plan is None or by_interval is None:
        return by_plan
    return by_interval if by_interval.when is When.CYCLE_END else by_plan


def _by_plan(old: Offer, new: Offer) -> Transition | None:
    return next(
        (
            row
            for row in TRANSITIONS
            if (row.source, row.target) == (old.family, new.family)
            and _holds(row.than, old, new)
        ),
        None,
    )


def _by_interval(old: Offer, new: Offer) -> Transition | None:
    is_kept_apart = {Family.FREE, Family.LEGACY} & {old.family, new.family}
    if old.is_yearly == new.is_yearly or is_kept_apart:
        return None
    if new.is_yearly:
        return Transition(old.family, new.family, Move.UPGRADE, When.NOW, "R30")
    return Transition(old.family, new.family, Move.DOWNGRADE, When.CYCLE_END, "R31")


def _is_same_plan(old: Offer, new: Offer) -> bool:
    is_legacy = Family.LEGACY in {old.family, new.family}
    return not is_legacy and (old.family, old.credits) == (new.family, new.credits)


def _holds(than: Than, old: Offer, new: Offer) -> bool:
    # Yearly prices are compared with monthly ones by what a month costs.
    old_cents = old.cents if old.is_yearly else 12 * old.cents
    new_cents = new.cents if new.is_yearly else 12 * new.cents
    return {
        Than.ANY: True,
        Than.MORE_CREDITS: new.credits > old.credits,
        Than.FEWER_CREDITS: new.credits < old.credits,
        Than.DEARER: new_cents > old_cents,
        Than.CHEAPER: new_cents <= old_cents,
        Than.AT_ONCE: new.is_wanted_now,
    }[than]
