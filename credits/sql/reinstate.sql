-- Puts back what was revoked, by an entry of its own: the money that was to go back
-- for it has stayed (R80). What comes back to a grant that has ended meanwhile, by its
-- expiry or with its plan, ends now. outcome: POSTED, REPLAYED, CONFLICT, NOT_REVOKED
-- (the entry revoked nothing, or it is back already), NO_ENTRY.
CREATE OR REPLACE FUNCTION ledger_reinstate(
    p_entry_ids bigint[], p_keys text[], p_hashes bytea[], p_actors text[],
    p_reasons text[], p_at timestamptz
) RETURNS TABLE (item integer, outcome text, entry_id bigint, credits bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet credits_wallet;
    v_taken credits_ledgerentry;
    v_grant credits_creditgrant;
    v_entry credits_ledgerentry;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_entry_ids) WITH ORDINALITY AS command (entry_id, n)
        LEFT JOIN credits_ledgerentry AS taken ON taken.id = command.entry_id
        ORDER BY taken.wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL;
        SELECT * INTO v_taken FROM credits_ledgerentry WHERE id = p_entry_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_ENTRY'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_taken.wallet_id, p_at);
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF v_taken.kind <> 'REVOKE' OR EXISTS (
            SELECT 1 FROM credits_ledgerentry WHERE reverses_id = v_taken.id
        ) THEN
            outcome := 'NOT_REVOKED';
        ELSE
            SELECT lot.* INTO STRICT v_grant
            FROM credits_grantdraw AS draw
            JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
            WHERE draw.entry_id = v_taken.id;
            v_entry := ledger_post(
                v_wallet.id, 'REINSTATE', p_keys[i], p_hashes[i], -v_taken.credits, 0,
                CASE WHEN v_grant.frozen_for = '{}' THEN 0 ELSE -v_taken.credits END,
                0, NULL, v_taken.id, p_actors[i], p_reasons[i], p_at, p_at
            );
            PERFORM ledger_draw(
                v_entry, 0, v_grant.id, v_entry.credits, 0, v_entry.frozen
            );
            UPDATE credits_creditgrant SET voided_at = NULL WHERE id = v_grant.id;
            IF (v_grant.expires_at <= p_at AND v_grant.clock_stopped_at IS NULL)
                OR (v_grant.source IN ('PLAN', 'UPGRADE') AND v_wallet.plan_is_over)
            THEN
                PERFORM ledger_end_grant(v_grant.id, p_at, p_at);
            END IF;
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id; credits := v_entry.credits;
        RETURN NEXT;
    END LOOP;
END $$;
