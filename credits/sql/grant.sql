-- Adds credits, once for each source key: one paid thing, one grant.
--
-- Arrays hold one command a place; a row comes back for each, numbered from 1.
-- outcome: POSTED, REPLAYED (the key had this content), CONFLICT (it had another),
-- NO_WALLET. Refused commands leave nothing behind and harm no other.
CREATE OR REPLACE FUNCTION ledger_grant(
    p_wallet_ids bigint[], p_sources text[], p_source_keys text[], p_credits bigint[],
    p_cost_basis_cents bigint[], p_effective_at timestamptz[],
    p_expires_at timestamptz[], p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, grant_id bigint, entry_id bigint, balance_after bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_hash bytea;
    v_first credits_ledgerentry;
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
    v_owed bigint;
BEGIN
    -- Lock order everywhere: wallets by ascending id.
    FOR i IN
        SELECT n FROM unnest(p_wallet_ids) WITH ORDINALITY AS command (wallet_id, n)
        ORDER BY wallet_id, n
    LOOP
        item := i; grant_id := NULL; entry_id := NULL; balance_after := NULL;
        IF p_effective_at[i] > p_at THEN
            RAISE EXCEPTION 'grant % would begin in the future', p_source_keys[i]
                USING ERRCODE = 'check_violation';
        END IF;

        v_wallet := ledger_lock(p_wallet_ids[i], p_at);
        IF v_wallet.id IS NULL THEN
            outcome := 'NO_WALLET'; RETURN NEXT; CONTINUE;
        END IF;

        -- Dates are left out: a retry may be later than the first try.
        v_hash := sha256(convert_to(concat_ws(
            '|', 'grant', p_sources[i], p_credits[i], p_cost_basis_cents[i]), 'UTF8'));
        v_first := ledger_first(v_wallet.id, p_source_keys[i]);
        IF v_first.id IS NOT NULL THEN
            entry_id := v_first.id; balance_after := v_first.balance_after;
            SELECT draw.grant_id INTO grant_id FROM credits_grantdraw AS draw
            WHERE draw.entry_id = v_first.id;
            outcome := CASE WHEN v_first.request_hash = v_hash
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
            RETURN NEXT; CONTINUE;
        END IF;

        INSERT INTO credits_creditgrant (
            wallet_id, source, source_key, granted, remaining, held, frozen_for,
            cost_basis_cents, effective_at, expires_at, is_open, created_at
        )
        VALUES (
            v_wallet.id, p_sources[i], p_source_keys[i], p_credits[i], 0, 0, '{}',
            p_cost_basis_cents[i], p_effective_at[i], p_expires_at[i], false, p_at
        )
        RETURNING id INTO grant_id;
        v_entry := ledger_post(
            v_wallet.id, 'GRANT', p_source_keys[i], v_hash, p_credits[i], 0, 0, 0, NULL,
            NULL, p_actors[i], p_reasons[i], p_at, p_at
        );
        PERFORM ledger_draw(v_entry, 0, grant_id, p_credits[i], 0, 0);
        entry_id := v_entry.id; balance_after := v_entry.balance_after;

        -- R79: what was bought pays back first what is owed; plan credits do not.
        v_owed := least(v_wallet.debt, p_credits[i]);
        IF v_owed > 0 AND p_sources[i] IN ('PURCHASE', 'RELOAD') THEN
            v_entry := ledger_post(
                v_wallet.id, 'REPAY', 'repay:' || grant_id, '', -v_owed, 0, 0, -v_owed,
                NULL, NULL, 'system', '', p_at, p_at
            );
            PERFORM ledger_draw(v_entry, 0, grant_id, -v_owed, 0, 0);
        END IF;
        UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
        WHERE id = v_wallet.id;
        outcome := 'POSTED'; RETURN NEXT;
    END LOOP;
END $$;
