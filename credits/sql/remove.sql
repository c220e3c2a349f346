-- Takes away what is available, in the order of R2 or of one grant alone, all or
-- nothing: never what a job holds, never what is frozen (R92). One entry, so that it
-- can be put back as a whole. outcome: POSTED, REPLAYED, CONFLICT, EXCEEDS_GRANT (so
-- many are not available), NO_WALLET.
CREATE OR REPLACE FUNCTION ledger_remove(
    p_wallet_id bigint, p_grant_id bigint, p_credits bigint, p_key text, p_hash bytea,
    p_actor text, p_reason text, p_at timestamptz
) RETURNS TABLE (outcome text, entry_id bigint, credits bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
    v_grant record;
    v_need bigint := p_credits;
    v_take bigint;
    v_grant_ids bigint[] := '{}';
    v_takes bigint[] := '{}';
BEGIN
    v_wallet := ledger_lock(p_wallet_id, p_at);
    IF v_wallet.id IS NULL THEN
        outcome := 'NO_WALLET'; RETURN NEXT; RETURN;
    END IF;
    IF p_credits <= 0 THEN
        RAISE EXCEPTION 'a removal of % credits', p_credits
            USING ERRCODE = 'check_violation';
    END IF;
    v_entry := ledger_first(v_wallet.id, p_key);
    IF v_entry.id IS NOT NULL THEN
        outcome := CASE WHEN v_entry.request_hash = p_hash
            THEN 'REPLAYED' ELSE 'CONFLICT' END;
    ELSE
        FOR v_grant IN
            SELECT * FROM ledger_spendable(v_wallet.id)
            WHERE p_grant_id IS NULL OR grant_id = p_grant_id
        LOOP
            v_take := least(v_need, v_grant.free);
            v_need := v_need - v_take;
            v_grant_ids := v_grant_ids || v_grant.grant_id;
            v_takes := v_takes || v_take;
            EXIT WHEN v_need = 0;
        END LOOP;
        IF v_need > 0 THEN
            outcome := 'EXCEEDS_GRANT'; RETURN NEXT; RETURN;
        END IF;
        v_entry := ledger_post(
            v_wallet.id, 'REVOKE', p_key, p_hash, -p_credits, 0, 0, 0, NULL, NULL,
            p_actor, p_reason, p_at, p_at
        );
        FOR j IN 1 .. cardinality(v_grant_ids) LOOP
            PERFORM ledger_draw(v_entry, j - 1, v_grant_ids[j], -v_takes[j], 0, 0);
        END LOOP;
        outcome := 'POSTED';
    END IF;
    entry_id := v_entry.id; credits := v_entry.credits;
    RETURN NEXT;
END $$;
