"""Credits that we owe: the roll-forward of a period, their ages, held and frozen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from billing.finance.reports import sums
from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import before, bounds, rows
from billing.finance.reports.movements import Movement
from billing.finance.reports.owed import BUCKET, BUCKETS, OWED

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span
    from billing.finance.reports.dating import Row


class Split(StrEnum):
    """What a roll-forward is split by; wallet units are always apart."""

    WHOLE = "whole"
    PLAN = "plan"
    SOURCE = "source"


_AGES = f"""
    SELECT unit, bucket, sum(credits)::bigint AS credits, sum(cents)::bigint AS cents
    FROM (SELECT owed.*, {BUCKET} AS bucket FROM ({OWED}) AS owed) AS aged
    GROUP BY unit, bucket ORDER BY unit, array_position(%(buckets)s::text[], bucket)
"""  # noqa: S608 - our own names
# As what is owed: today's, without what moved since.
_STANDING = f"""
    SELECT wallet.unit, sum(stands.held)::bigint AS held,
        sum(stands.frozen)::bigint AS frozen
    FROM (
        SELECT id AS wallet_id, held, frozen FROM credits_wallet
        UNION ALL
        SELECT wallet_id, -held, -frozen FROM billing_moved_since(%(end)s)
        WHERE (held <> 0 OR frozen <> 0) AND NOT {before("end")}
    ) AS stands
    JOIN credits_wallet AS wallet ON wallet.id = stands.wallet_id
    GROUP BY 1 HAVING sum(stands.held) <> 0 OR sum(stands.frozen) <> 0 ORDER BY 1
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
    """Return the roll-forward of a period, a row for each unit and group that lived.

    Source: docs/rules.md R86, R93, R100.
    """
    groups: dict[tuple[str, str], dict[str, Amount]] = {}
    for row in sums.of_period(period):
        lines = groups.setdefault((row.unit, _group(row, by)), defaultdict(Amount))
        lines[row.line] += Amount(row.credits, row.cents)
    return [
        _row(unit, group, by, groups[unit, group])
        for unit, group in sorted(groups)
        if any(amount != Amount() for amount in groups[unit, group].values())
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


def _group(row: Row, by: Split) -> str:
    return "" if by is Split.WHOLE else str(getattr(row, by))


def _row(unit: str, group: str, by: Split, lines: dict[str, Amount]) -> RollForward:
    moved = tuple(
        Moved(
            movement,
            lines.get(movement, Amount()),
            f"ledger/{movement}/{unit}/{by}/{group}",
        )
        for movement in Movement
    )
    closing = lines.get(sums.CLOSING, Amount())
    opening = closing
    for one in moved:
        opening += -one.amount
    return RollForward(unit, group, opening, moved, closing)
