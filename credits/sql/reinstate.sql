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
    v_draw record;
    v_frozen bigint;
    v_ended bigint[];
    v_grant_id bigint;
    v_entry credits_ledgerentry;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_entry_ids) WITH ORDINALITY AS command (entry_id, n)
        LEFT JOIN credits_ledgerentry AS taken ON taken.id = command.entry_id
        ORDER BY taken.wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL; v_ended := '{}';
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
            SELECT coalesce(sum(-draw.credits) FILTER (WHERE lot.frozen_for <> '{}'), 0)
            INTO v_frozen
            FROM credits_grantdraw AS draw
            JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
            WHERE draw.entry_id = v_taken.id;
            v_entry := ledger_post(
                v_wallet.id, 'REINSTATE', p_keys[i], p_hashes[i], -v_taken.credits, 0,
                v_frozen, 0, NULL, v_taken.id, p_actors[i], p_reasons[i], p_at, p_at
            );
            FOR v_draw IN
                SELECT draw.position::integer AS place, draw.grant_id,
                    -draw.credits AS back, lot.frozen_for <> '{}' AS is_frozen,
                    (lot.expires_at <= p_at AND lot.clock_stopped_at IS NULL)
                        OR (lot.source IN ('PLAN', 'UPGRADE')
                            AND v_wallet.plan_is_over
                            -- Given later, or living on for a failed job (R70): not.
                            AND lot.effective_at <= v_wallet.plan_ends_at
                            AND lot.remaining = lot.held) AS has_ended
                FROM credits_grantdraw AS draw
                JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
                WHERE draw.entry_id = v_taken.id ORDER BY draw.position
            LOOP
                PERFORM ledger_draw(
                    v_entry, v_draw.place, v_draw.grant_id, v_draw.back, 0,
                    CASE WHEN v_draw.is_frozen THEN v_draw.back ELSE 0 END
                );
                UPDATE credits_creditgrant SET voided_at = NULL
                WHERE id = v_draw.grant_id;
                IF v_draw.has_ended THEN
                    v_ended := v_ended || v_draw.grant_id;
                END IF;
            END LOOP;
            FOREACH v_grant_id IN ARRAY v_ended LOOP
                PERFORM ledger_end_grant(v_grant_id, p_at, p_at);
            END LOOP;
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id; credits := v_entry.credits;
        RETURN NEXT;
    END LOOP;
END $$;
