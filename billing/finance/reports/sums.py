"""What moved in a period and what is owed at its end: what several reports add up."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import before, bounds, rows
from billing.finance.reports.movements import Movement
from billing.finance.reports.owed import OWED_OF_GRANTS

if TYPE_CHECKING:
    from billing.core.periods import Span
    from billing.finance.reports.dating import Row

# The line beside those of the movements.
CLOSING = "CLOSING"
_STATEMENT = f"""
    SELECT wallet.unit, lot.source, planned.plan, line,
        sum(moved.credits)::bigint AS credits, sum(moved.cents)::bigint AS cents
    FROM (
        SELECT grant_id, line, sum(credits) AS credits, sum(cents) AS cents
        FROM (
            SELECT grant_id, movement AS line, credits, cents
            FROM billing_moved_since(%(start)s)
            WHERE credits <> 0 AND {before("end")} AND NOT {before("start")}
            UNION ALL
            SELECT grant_id, '{CLOSING}', credits, cents FROM ({OWED_OF_GRANTS}) AS owed
        ) AS moved
        GROUP BY 1, 2 HAVING sum(credits) <> 0 OR sum(cents) <> 0
    ) AS moved
    JOIN credits_creditgrant AS lot ON lot.id = moved.grant_id
    JOIN credits_wallet AS wallet ON wallet.id = lot.wallet_id
    CROSS JOIN LATERAL billing_grant_plan(
        lot.source_key, wallet.account_id, lot.effective_at) AS planned
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - our own names


def of_period(period: Span) -> list[Row]:
    """Return credits and cents by unit, source, plan and line: a Movement, or CLOSING.

    Source: docs/rules.md R86, R93, R100.
    """
    return rows(_STATEMENT, bounds(start=period.starts_at, end=period.ends_at))


def by_movement(period: Span) -> dict[Movement, Amount]:
    """Return what each movement came to, of all units, plans and sources."""
    moved: dict[Movement, Amount] = defaultdict(Amount)
    for row in of_period(period):
        if row.line != CLOSING:
            moved[Movement(row.line)] += Amount(row.credits, row.cents)
    return moved
