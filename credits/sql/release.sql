-- Gives back all that a hold still pins; nothing is charged (R75).
-- R70: p_our_failures says for which of them credits of an expired grant live on.
-- outcome: POSTED, REPLAYED, CONFLICT, CLOSED, NO_HOLD (R74).
CREATE OR REPLACE FUNCTION ledger_release(
    p_hold_ids bigint[], p_our_failures boolean[], p_keys text[], p_hashes bytea[],
    p_actors text[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, credits bigint, state text,
    available bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_hold credits_hold;
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_hold_ids) WITH ORDINALITY AS command (hold_id, n)
        LEFT JOIN credits_hold ON credits_hold.id = command.hold_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL; state := NULL; available := NULL;
        SELECT * INTO v_hold FROM credits_hold WHERE id = p_hold_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_HOLD'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_hold.wallet_id, p_at);
        SELECT * INTO v_hold FROM credits_hold WHERE id = p_hold_ids[i];
        state := v_hold.state;
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF v_hold.state <> 'OPEN' THEN
            outcome := 'CLOSED';
        ELSE
            v_entry := ledger_release_hold(
                v_hold.id, 'RELEASED', p_our_failures[i], p_keys[i], p_hashes[i],
                p_actors[i], p_at, p_at
            );
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id
            RETURNING * INTO v_wallet;
            outcome := 'POSTED'; state := 'RELEASED';
        END IF;
        entry_id := v_entry.id; credits := -v_entry.held;
        available := v_wallet.balance - v_wallet.held - v_wallet.frozen;
        RETURN NEXT;
    END LOOP;
END $$;
