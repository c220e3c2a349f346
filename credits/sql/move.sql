-- Gives what is free of a grant a later expiry: a pair of entries, not an edit (R95).
-- The credits leave the grant and come back as one of the same source, with their
-- share of its cost (R100). outcome: POSTED, REPLAYED, CONFLICT, EMPTY, FROZEN,
-- NOT_LATER, NO_GRANT.
CREATE OR REPLACE FUNCTION ledger_move(
    p_grant_ids bigint[], p_expires_at timestamptz[], p_keys text[], p_hashes bytea[],
    p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, credits bigint, grant_id bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet credits_wallet;
    v_grant credits_creditgrant;
    v_entry credits_ledgerentry;
    v_arrival credits_ledgerentry;
    v_free bigint;
    v_gone bigint;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_grant_ids) WITH ORDINALITY AS command (grant_id, n)
        LEFT JOIN credits_creditgrant ON credits_creditgrant.id = command.grant_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL; grant_id := NULL;
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_GRANT'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_grant.wallet_id, p_at);
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        v_free := v_grant.remaining - v_grant.held;
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
            SELECT id INTO grant_id FROM credits_creditgrant
            WHERE source_key = 'move:' || v_entry.id;
        ELSIF v_free = 0 THEN
            outcome := 'EMPTY';
        ELSIF v_grant.frozen_for <> '{}' THEN
            outcome := 'FROZEN';
        ELSIF v_grant.expires_at IS NULL OR p_expires_at[i] <= v_grant.expires_at THEN
            outcome := 'NOT_LATER';
        ELSE
            v_entry := ledger_post(
                v_wallet.id, 'MOVE', p_keys[i], p_hashes[i], -v_free, 0, 0, 0, NULL,
                NULL, p_actors[i], p_reasons[i], p_at, p_at
            );
            PERFORM ledger_draw(v_entry, 0, v_grant.id, -v_free, 0, 0);
            v_gone := v_grant.granted - v_grant.remaining;
            INSERT INTO credits_creditgrant (
                wallet_id, source, source_key, granted, remaining, held, frozen_for,
                cost_basis_cents, effective_at, expires_at, is_open, created_at
            )
            VALUES (
                v_wallet.id, v_grant.source, 'move:' || v_entry.id, v_free, 0, 0, '{}',
                v_grant.cost_basis_cents * (v_gone + v_free) / v_grant.granted
                    - v_grant.cost_basis_cents * v_gone / v_grant.granted,
                p_at, p_expires_at[i], false, p_at
            )
            RETURNING id INTO grant_id;
            v_arrival := ledger_post(
                v_wallet.id, 'GRANT', 'move:' || v_entry.id, p_hashes[i], v_free, 0, 0,
                0, NULL, NULL, p_actors[i], p_reasons[i], p_at, p_at
            );
            PERFORM ledger_draw(v_arrival, 0, grant_id, v_free, 0, 0);
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id; credits := -v_entry.credits;
        RETURN NEXT;
    END LOOP;
END $$;
