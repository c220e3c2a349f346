-- Every draw with what it defers of its grant's cost (R100), and on which line of the
-- roll-forward it is: billing/finance/reports/movements.py names these. The one mapping.
--
-- All that can count at or after an instant, and a little more: whoever asks compares.
-- The day more is for expiries, which count from the creation of their grant, for which
-- another machine's clock may have been ahead (R93).
--
-- One plain SELECT, so that the planner sees through it into the reports.
DROP FUNCTION IF EXISTS billing_moved();
CREATE OR REPLACE FUNCTION billing_moved_since(p_since timestamptz)
RETURNS TABLE (
    entry_id bigint, kind varchar, wallet_id bigint, grant_id bigint, source varchar,
    movement text, credits bigint, held bigint, frozen bigint, cents bigint,
    occurred_at timestamptz, recorded_at timestamptz
)
LANGUAGE sql STABLE AS $$
    SELECT entry.id, entry.kind, entry.wallet_id, lot.id, lot.source,
        CASE entry.kind
            WHEN 'SPEND' THEN 'USED'
            WHEN 'CAPTURE' THEN 'USED'
            WHEN 'REVERSE' THEN 'RESTORED'
            WHEN 'EXPIRE' THEN 'EXPIRED'
            WHEN 'REPAY' THEN 'REPAID'
            WHEN 'MOVE' THEN 'MOVED'
            WHEN 'GRANT' THEN
                CASE WHEN entry.idempotency_key LIKE 'move:%' THEN 'MOVED'
                    WHEN lot.source IN ('PURCHASE', 'RELOAD') THEN 'SOLD'
                    WHEN lot.source IN ('PLAN', 'UPGRADE', 'PACK') THEN 'GRANTED'
                    WHEN lot.source IN ('ADJUSTMENT', 'PROMO') THEN 'ADJUSTED'
                    WHEN lot.source = 'RESTORE' THEN 'GIVEN'
                    ELSE 'OTHER' END
            WHEN 'REVOKE' THEN
                CASE split_part(entry.idempotency_key, ':', 1)
                    WHEN 'refund' THEN 'REFUNDED'
                    WHEN 'dispute' THEN 'DISPUTED'
                    WHEN 'return' THEN 'RETURNED'
                    WHEN 'trim' THEN 'FORFEITED'
                    WHEN 'plan-ended' THEN 'FORFEITED'
                    WHEN 'adjustment' THEN 'ADJUSTED'
                    WHEN 'make-good' THEN 'RESTORED'
                    ELSE 'OTHER' END
            WHEN 'REINSTATE' THEN
                CASE split_part(entry.idempotency_key, ':', 1)
                    WHEN 'refund' THEN 'REINSTATED'
                    WHEN 'adjustment' THEN 'ADJUSTED'
                    ELSE 'OTHER' END
            ELSE CASE WHEN draw.credits = 0 THEN 'NONE' ELSE 'OTHER' END
        END,
        draw.credits, draw.held, draw.frozen,
        billing_left(lot.cost_basis_cents, lot.granted, draw.remaining_after)
            - billing_left(lot.cost_basis_cents, lot.granted,
                draw.remaining_after - draw.credits),
        -- A month that is granted after its end has ended before it came: it cannot
        -- leave before it was there.
        CASE entry.kind WHEN 'EXPIRE' THEN greatest(entry.occurred_at, lot.created_at)
            ELSE entry.occurred_at END,
        entry.created_at
    FROM credits_grantdraw AS draw
    JOIN credits_ledgerentry AS entry ON entry.id = draw.entry_id
    JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
    WHERE entry.occurred_at >= p_since - interval '1 day'
        OR entry.created_at >= p_since - interval '1 day';
$$;

-- The plan that a grant is of: what paid for it, else the one that its account was on
-- when it began; 'free' without one. As a table of one row, to be seen through too.
DROP FUNCTION IF EXISTS billing_plan_of(text, bigint, timestamptz);
CREATE OR REPLACE FUNCTION billing_grant_plan(
    p_source_key text, p_account_id bigint, p_effective_at timestamptz
) RETURNS TABLE (plan text)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT plan.code FROM billing_cycle AS cycle
         JOIN billing_planversion AS version ON version.id = cycle.plan_version_id
         JOIN billing_plan AS plan ON plan.id = version.plan_id
         WHERE p_source_key LIKE 'cycle:%'
            AND cycle.id = substring(p_source_key FROM '^cycle:(\d+)$')::bigint),
        (SELECT plan.code FROM billing_planchange AS change
         JOIN billing_planversion AS version ON version.id = change.to_version_id
         JOIN billing_plan AS plan ON plan.id = version.plan_id
         WHERE p_source_key LIKE 'change:%'
            AND change.id = substring(p_source_key FROM '^change:(\d+)$')::bigint),
        (SELECT plan.code FROM billing_planperiod AS period
         JOIN billing_subscription AS subscription
            ON subscription.id = period.subscription_id
         JOIN billing_planversion AS version ON version.id = period.plan_version_id
         JOIN billing_plan AS plan ON plan.id = version.plan_id
         WHERE subscription.account_id = p_account_id
            AND period.starts_at <= p_effective_at
            AND (subscription.ended_at IS NULL OR subscription.ended_at > p_effective_at)
         ORDER BY period.starts_at DESC LIMIT 1),
        'free'
    );
$$;
