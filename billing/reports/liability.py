"""Credits that we owe: the roll-forward of a period, their ages, held and frozen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from billing.reports.amounts import Amount
from billing.reports.dating import before, bounds, rows
from billing.reports.movements import Movement
from billing.reports.owed import BUCKET, BUCKETS, OWED

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span


class Split(StrEnum):
    """What a roll-forward is split by; wallet units are always apart."""

    WHOLE = "whole"
    PLAN = "plan"
    SOURCE = "source"


# What moved before the period and what in it, by a column of the grants.
_SUMS = f"""
    SELECT wallet.unit, {{key}} AS grp, movement, {before("start")} AS is_before,
        sum(moved.credits)::bigint AS credits, sum(moved.cents)::bigint AS cents
    FROM billing_moved() AS moved
    JOIN credits_wallet AS wallet ON wallet.id = moved.wallet_id
    WHERE moved.credits <> 0 AND {before("end")}
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - our own names
_BY_PLAN = f"""
    SELECT by_grant.unit,
        billing_plan_of(lot.source_key, wallet.account_id, lot.effective_at) AS grp,
        movement, is_before, sum(credits)::bigint AS credits,
        sum(cents)::bigint AS cents
    FROM ({_SUMS.format(key="moved.grant_id")}) AS by_grant
    JOIN credits_creditgrant AS lot ON lot.id = by_grant.grp
    JOIN credits_wallet AS wallet ON wallet.id = lot.wallet_id
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - our own names
_MOVED = {
    Split.WHOLE: _SUMS.format(key="''"),
    Split.SOURCE: _SUMS.format(key="moved.source"),
    Split.PLAN: _BY_PLAN,
}
_OPENING = "OPENING"
_AGES = f"""
    SELECT unit, bucket, sum(credits)::bigint AS credits, sum(cents)::bigint AS cents
    FROM (SELECT owed.*, {BUCKET} AS bucket FROM ({OWED}) AS owed) AS aged
    GROUP BY unit, bucket ORDER BY unit, array_position(%(buckets)s::text[], bucket)
"""  # noqa: S608 - our own names
_STANDING = f"""
    SELECT wallet.unit, sum(moved.held)::bigint AS held,
        sum(moved.frozen)::bigint AS frozen
    FROM (
        SELECT wallet_id, held, frozen FROM billing_moved()
        WHERE (held <> 0 OR frozen <> 0) AND {before("end")}
    ) AS moved
    JOIN credits_wallet AS wallet ON wallet.id = moved.wallet_id
    GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Moved:
    """One line: what moved, and the key of the entries behind it."""

    movement: Movement
    amount: Amount
    drill: str


@dataclass(frozen=True, slots=True)
class RollForward:
    """Opening, every movement in the report's order, and closing; they add up.

    `unit` is a WalletUnit; `group` a plan's code, "free" without one, or a GrantSource,
    and "" for the whole.
    """

    unit: str
    group: str
    opening: Amount
    moved: tuple[Moved, ...]
    closing: Amount


@dataclass(frozen=True, slots=True)
class Age:
    """What is owed and ends in so many days: 0-30, 31-90, 91-365, later, or never."""

    unit: str
    bucket: str
    amount: Amount
    drill: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the credits owed jobs hold, and what is frozen."""

    unit: str
    held: int
    frozen: int


def roll_forward(period: Span, *, by: Split = Split.WHOLE) -> list[RollForward]:
    """Return the roll-forward of a period, a row for each unit and group.

    Source: docs/rules.md R86, R93, R100.
    """
    values = bounds(start=period.starts_at, end=period.ends_at)
    groups: dict[tuple[str, str], dict[str, Amount]] = defaultdict(dict)
    for row in rows(_MOVED[by], values):
        name = _OPENING if row.is_before else row.movement
        sums = groups[row.unit, row.grp]
        sums[name] = sums.get(name, Amount()) + Amount(row.credits, row.cents)
    return [
        _row(unit, group, by, groups[unit, group]) for unit, group in sorted(groups)
    ]


def ageing(*, at: datetime) -> list[Age]:
    """Return what is owed at an instant by when it ends, as is known today."""
    values = {**bounds(end=at), "buckets": list(BUCKETS)}
    return [
        Age(
            unit=row.unit,
            bucket=row.bucket,
            amount=Amount(row.credits, row.cents),
            drill=f"owed/{row.unit}/{row.bucket}",
        )
        for row in rows(_AGES, values)
    ]


def standing(*, at: datetime) -> list[Standing]:
    """Return what of it is held and frozen, for each unit."""
    return [
        Standing(row.unit, row.held, row.frozen)
        for row in rows(_STANDING, bounds(end=at))
    ]


def _row(unit: str, group: str, by: Split, sums: dict[str, Amount]) -> RollForward:
    moved = tuple(
        Moved(
            movement,
            sums.get(movement, Amount()),
            f"ledger/{movement}/{unit}/{by}/{group}",
        )
        for movement in Movement
    )
    opening = sums.get(_OPENING, Amount())
    closing = opening
    for one in moved:
        closing += one.amount
    return RollForward(unit, group, opening, moved, closing)
