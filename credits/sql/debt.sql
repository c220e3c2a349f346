-- Records credits that are owed: spent, and then refunded in full (R78).
-- Or, with p_clears, that so many are no longer owed: paid in money, or written off
-- (R79). outcome: POSTED, REPLAYED, CONFLICT, EXCEEDS_DEBT, NO_WALLET.
CREATE OR REPLACE FUNCTION ledger_debt(
    p_wallet_ids bigint[], p_credits bigint[], p_clears boolean[], p_keys text[],
    p_hashes bytea[], p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (item integer, outcome text, entry_id bigint, debt bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_wallet_ids) WITH ORDINALITY AS command (wallet_id, n)
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; debt := NULL;
        v_wallet := ledger_lock(p_wallet_ids[i], p_at);
        IF v_wallet.id IS NULL THEN
            outcome := 'NO_WALLET'; RETURN NEXT; CONTINUE;
        END IF;
        IF p_credits[i] <= 0 THEN
            RAISE EXCEPTION 'a debt of % credits', p_credits[i]
                USING ERRCODE = 'check_violation';
        END IF;
        debt := v_wallet.debt;
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF p_clears[i] AND p_credits[i] > v_wallet.debt THEN
            outcome := 'EXCEEDS_DEBT';
        ELSE
            v_entry := ledger_post(
                v_wallet.id, CASE WHEN p_clears[i] THEN 'CLEAR_DEBT' ELSE 'DEBT' END,
                p_keys[i], p_hashes[i], 0, 0, 0,
                CASE WHEN p_clears[i] THEN -p_credits[i] ELSE p_credits[i] END, NULL,
                NULL, p_actors[i], p_reasons[i], p_at, p_at
            );
            debt := v_wallet.debt + v_entry.debt;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id;
        RETURN NEXT;
    END LOOP;
END $$;
