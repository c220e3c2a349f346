"""Cash of a period, as Stripe's balance says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.finance.reports.dating import before, bounds, rows

if TYPE_CHECKING:
    from billing.core.periods import Span

_STATEMENT = f"""
    SELECT category, currency, count(*) AS count, sum(amount_cents)::bigint AS amount,
        sum(fee_cents)::bigint AS fee
    FROM (SELECT *, booked_at AS occurred_at FROM billing_balancemovement) AS moved
    WHERE {before("end")} AND NOT {before("start")}
    GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Cash:
    """What one category of Stripe's moved: `category` is its reporting_category."""

    category: str
    currency: str
    count: int
    amount_cents: int
    fee_cents: int
    drill: str

    @property
    def net_cents(self) -> int:
        """Return what it changed Stripe's balance by."""
        return self.amount_cents - self.fee_cents


def cash(period: Span) -> list[Cash]:
    """Return a period's cash, a row for each category and currency."""
    values = bounds(start=period.starts_at, end=period.ends_at)
    return [
        Cash(
            category=row.category,
            currency=row.currency,
            count=row.count,
            amount_cents=row.amount,
            fee_cents=row.fee,
            drill=f"cash/{row.category}",
        )
        for row in rows(_STATEMENT, values)
    ]
