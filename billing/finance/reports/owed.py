"""What is owed of each grant at an instant: what ageing and the waterfall add up.

It is what is left today, without what moved since: so a report costs what moved since,
not all of history. That what is left is all that moved, `verify_ledger` proves (I3).
"""

from __future__ import annotations

from billing.finance.reports.dating import before

# May name a grant several times.
OWED_OF_GRANTS = f"""
    SELECT id AS grant_id, remaining AS credits,
        billing_left(cost_basis_cents, granted, remaining) AS cents
    FROM credits_creditgrant WHERE is_open
    UNION ALL
    SELECT grant_id, -credits, -cents FROM billing_moved_since(%(end)s)
    WHERE credits <> 0 AND NOT {before("end")}
"""  # noqa: S608 - our own names
# R15: what plans gave ends with the plan; the dates are those that are known today.
OWED = f"""
    SELECT wallet.unit, wallet.account_id, lot.id AS grant_id, lot.source_key,
        lot.effective_at, lot.created_at, owed.credits, owed.cents,
        CASE WHEN lot.source IN ('PLAN', 'UPGRADE') AND NOT wallet.plan_is_over
            THEN least(lot.expires_at, wallet.plan_ends_at)
            ELSE lot.expires_at END AS ends_at
    FROM (
        SELECT grant_id, sum(credits)::bigint AS credits, sum(cents)::bigint AS cents
        FROM ({OWED_OF_GRANTS}) AS moved GROUP BY 1
    ) AS owed
    JOIN credits_creditgrant AS lot ON lot.id = owed.grant_id
    JOIN credits_wallet AS wallet ON wallet.id = lot.wallet_id
    WHERE owed.credits <> 0 OR owed.cents <> 0
"""  # noqa: S608 - our own names

# How far its end is: "0-30" holds also what has ended and waits for its entry.
BUCKETS = ("0-30", "31-90", "91-365", "later", "never")
BUCKET = """CASE
    WHEN ends_at IS NULL THEN 'never'
    WHEN ends_at <= %(end)s + interval '30 days' THEN '0-30'
    WHEN ends_at <= %(end)s + interval '90 days' THEN '31-90'
    WHEN ends_at <= %(end)s + interval '365 days' THEN '91-365'
    ELSE 'later' END"""
