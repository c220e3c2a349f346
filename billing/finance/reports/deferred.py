"""Deferred revenue: when what is paid for will have been used or have ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import bounds, rows
from billing.finance.reports.owed import OWED

if TYPE_CHECKING:
    from datetime import date, datetime


# Each grant with credits, and each paid month that has not begun.
# R85: a month whose money the bank has taken back is not to come.
DEFERRED = f"""
    SELECT 2 * grant_id AS id, 'GRANT' AS kind, source_key AS reference, account_id,
        created_at AS at, ends_at, false AS is_unbegun, plan, credits, cents
    FROM ({OWED}) AS owed
    CROSS JOIN LATERAL billing_grant_plan(
        source_key, account_id, effective_at) AS planned
    UNION ALL
    SELECT 2 * cycle.id + 1, 'CYCLE', 'cycle:' || cycle.id, subscription.account_id,
        cycle.paid_at, cycle.expires_at, true, plan.code,
        cycle.credits, cycle.price_cents
    FROM billing_cycle AS cycle
    JOIN billing_subscription AS subscription
        ON subscription.id = cycle.subscription_id
    JOIN billing_planversion AS version ON version.id = cycle.plan_version_id
    JOIN billing_plan AS plan ON plan.id = version.plan_id
    WHERE cycle.credits > 0 AND cycle.paid_at < %(end)s
        AND (cycle.granted_at IS NULL OR cycle.granted_at >= %(end)s)
        AND NOT EXISTS (
            SELECT FROM billing_dispute AS dispute
            WHERE dispute.invoice_id = cycle.invoice_id AND dispute.effect = 'TAKEN'
        )
"""  # noqa: S608 - our own names
# In which month it ends at the latest.
ENDS_IN = "date_trunc('month', ends_at AT TIME ZONE %(zone)s)::date"
_SUM = "coalesce(sum({}) FILTER (WHERE {}), 0)::bigint AS {}"
_WATERFALL = f"""
    SELECT {ENDS_IN} AS month, plan,
        date_trunc('month', at AT TIME ZONE %(zone)s)::date AS cohort,
        {_SUM.format("credits", "NOT is_unbegun", "credits")},
        {_SUM.format("cents", "NOT is_unbegun", "cents")},
        {_SUM.format("credits", "is_unbegun", "coming_credits")},
        {_SUM.format("cents", "is_unbegun", "coming_cents")}
    FROM ({DEFERRED}) AS deferred
    GROUP BY 1, 2, 3 ORDER BY 1 NULLS LAST, 2, 3
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Deferred:
    """What ends in a month at the latest: `month` is its first day, None for never.

    `cohort` is the first day of the month in which it was paid or given. `granted` are
    credits in wallets, `unbegun` those of paid months that have not begun.
    """

    month: date | None
    plan: str
    cohort: date
    granted: Amount
    unbegun: Amount


def waterfall(*, at: datetime) -> list[Deferred]:
    """Return what is deferred at an instant, by month, plan and cohort.

    When credits end is what is known today. Paid months that were dropped later than
    `at`, by a refund or with their plan, are not among those of the past.
    """
    values = {**bounds(end=at), "zone": settings.FINANCE_TIME_ZONE}
    return [
        Deferred(
            month=row.month,
            plan=row.plan,
            cohort=row.cohort,
            granted=Amount(row.credits, row.cents),
            unbegun=Amount(row.coming_credits, row.coming_cents),
        )
        for row in rows(_WATERFALL, values)
    ]
