-- Takes back what is free of a grant, all of it or so many credits: never what a job
-- holds (R77, R92). outcome: POSTED, REPLAYED, CONFLICT, EXCEEDS_GRANT, EMPTY (there
-- was nothing to take: no entry), NO_GRANT.
CREATE OR REPLACE FUNCTION ledger_revoke(
    p_grant_ids bigint[], p_credits bigint[], p_keys text[], p_hashes bytea[],
    p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, credits bigint, balance_after bigint
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
    v_free bigint;
    v_take bigint;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_grant_ids) WITH ORDINALITY AS command (grant_id, n)
        LEFT JOIN credits_creditgrant ON credits_creditgrant.id = command.grant_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL; balance_after := NULL;
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_GRANT'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_grant.wallet_id, p_at);
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        v_free := v_grant.remaining - v_grant.held;
        v_take := coalesce(p_credits[i], v_free);
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF v_take > v_free THEN
            outcome := 'EXCEEDS_GRANT';
        ELSIF v_take = 0 THEN
            outcome := 'EMPTY';
        ELSE
            v_entry := ledger_post(
                v_wallet.id, 'REVOKE', p_keys[i], p_hashes[i], -v_take, 0,
                CASE WHEN v_grant.frozen_for = '{}' THEN 0 ELSE -v_take END, 0, NULL,
                NULL, p_actors[i], p_reasons[i], p_at, p_at
            );
            PERFORM ledger_draw(v_entry, 0, v_grant.id, -v_take, 0, v_entry.frozen);
            outcome := 'POSTED';
        END IF;
        IF outcome IN ('POSTED', 'EMPTY') AND p_credits[i] IS NULL THEN
            UPDATE credits_creditgrant SET voided_at = coalesce(voided_at, p_at)
            WHERE id = v_grant.id;
        END IF;
        entry_id := v_entry.id; credits := v_entry.credits;
        balance_after := v_entry.balance_after;
        RETURN NEXT;
    END LOOP;
END $$;
