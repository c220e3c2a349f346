-- Turns months that have begun into credits: many at once, each once, by its source key.
-- The caller has claimed the months or just made them.
--
-- Returns the entries of those that are new, and the months that could not be granted:
-- they stay due, and harm no other.
CREATE OR REPLACE FUNCTION billing_grant_cycles(p_cycle_ids bigint[], p_at timestamptz)
RETURNS TABLE (entry_ids bigint[], refused_ids bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
-- A claim before it has switched these off.
SET enable_sort = on SET enable_bitmapscan = on
AS $$
DECLARE
    v_cycle_ids bigint[];
    v_wallet_ids bigint[];
    v_credits bigint[];
    v_cents bigint[];
    v_starts_at timestamptz[];
    v_expires_at timestamptz[];
BEGIN
    SELECT coalesce(array_agg(cycle.id), '{}'), array_agg(wallet.id),
        array_agg(cycle.credits),
        array_agg(cycle.price_cents),
        array_agg(cycle.starts_at),
        -- R58: granted after the plan's end, it has ended with the plan. An end that is
        -- still to come is the wallet's business, and may be taken back (R15).
        array_agg(least(cycle.expires_at, CASE WHEN plan_end <= p_at THEN plan_end END))
    INTO v_cycle_ids, v_wallet_ids, v_credits, v_cents, v_starts_at, v_expires_at
    FROM billing_cycle AS cycle
    JOIN billing_subscription AS subscription ON subscription.id = cycle.subscription_id
    CROSS JOIN least(subscription.cancel_at, subscription.ended_at) AS plan_end
    LEFT JOIN credits_wallet AS wallet
        ON wallet.account_id = subscription.account_id AND wallet.unit = 'CREDITS'
    -- A plan without credits has months all the same, but nothing to grant.
    WHERE cycle.id = ANY (p_cycle_ids) AND cycle.credits > 0;

    SELECT coalesce(array_agg(entry_id) FILTER (WHERE outcome = 'POSTED'), '{}'),
        coalesce(array_agg(v_cycle_ids[item])
            FILTER (WHERE outcome NOT IN ('POSTED', 'REPLAYED')), '{}')
    INTO entry_ids, refused_ids
    FROM ledger_grant(
        v_wallet_ids, array_fill('PLAN'::text, ARRAY[cardinality(v_cycle_ids)]),
        (SELECT array_agg('cycle:' || id) FROM unnest(v_cycle_ids) AS id),
        v_credits, v_cents, v_starts_at, v_expires_at,
        array_fill('plan'::text, ARRAY[cardinality(v_cycle_ids)]),
        array_fill(''::text, ARRAY[cardinality(v_cycle_ids)]), p_at
    );

    UPDATE billing_cycle SET granted_at = p_at
    WHERE id = ANY (p_cycle_ids) AND id <> ALL (refused_ids);

    PERFORM ledger_set_cycles(
        array_agg(wallet_id), array_agg(starts_at), array_agg(ends_at)
    )
    FROM (
        -- The latest one: a year that begins within a month goes before it (R30).
        SELECT DISTINCT ON (wallet.id) wallet.id AS wallet_id, starts_at, ends_at
        FROM billing_cycle AS cycle
        JOIN billing_subscription AS subscription
            ON subscription.id = cycle.subscription_id
        JOIN credits_wallet AS wallet
            ON wallet.account_id = subscription.account_id AND wallet.unit = 'CREDITS'
        WHERE cycle.id = ANY (p_cycle_ids) AND cycle.id <> ALL (refused_ids)
            AND cycle.ends_at > p_at
        ORDER BY wallet.id, starts_at DESC, expires_at DESC
    ) AS running;
    RETURN NEXT;
END $$;
