-- Ends what is due in up to p_limit wallets, and says how many: for the sweeper.
-- Locked wallets are passed over: whoever holds them ends it first.
CREATE OR REPLACE FUNCTION ledger_expire(p_limit integer, p_at timestamptz)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_ids bigint[];
    v_id bigint;
BEGIN
    SELECT array_agg(due.id ORDER BY due.id) INTO v_ids
    FROM (
        SELECT id FROM credits_wallet WHERE next_expiry_at <= p_at
        ORDER BY id LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS due;
    FOREACH v_id IN ARRAY coalesce(v_ids, '{}') LOOP
        PERFORM ledger_settle_due(v_id, p_at);
    END LOOP;
    RETURN coalesce(cardinality(v_ids), 0);
END $$;

-- Ends what is due in one wallet, waiting for its lock: for readers, so that no page
-- shows credits that are gone.
CREATE OR REPLACE FUNCTION ledger_expire_one(p_wallet_id bigint, p_at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    SELECT ledger_lock(p_wallet_id, p_at);
$$;
