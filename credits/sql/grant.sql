-- Adds credits, once for each source key: one paid thing, one grant.
--
-- Arrays hold one command a place; a row comes back for each, numbered from 1.
-- outcome: POSTED, REPLAYED (the key had this content), CONFLICT (it had another),
-- NO_WALLET. Refused commands leave nothing behind and harm no other.
--
-- Most of a renewal is alike: one new grant for a wallet that owes nothing and in which
-- nothing is due. Those are written by one statement; the others one after another, in
-- wallets that the statement has not touched.
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
    v_alike boolean[];
BEGIN
    -- Lock order everywhere: wallets by ascending id.
    PERFORM 1 FROM credits_wallet WHERE id = ANY (p_wallet_ids)
    ORDER BY id FOR NO KEY UPDATE;

    SELECT array_agg(is_alike ORDER BY n) INTO v_alike
    FROM (
        SELECT n, wallet.id IS NOT NULL
            -- Twice in a batch: the second may replay the first, or meet its debt.
            AND count(*) OVER (PARTITION BY command.wallet_id) = 1
            AND command.effective_at <= p_at
            AND (wallet.next_expiry_at IS NULL OR wallet.next_expiry_at > p_at)
            AND (wallet.debt = 0 OR command.source NOT IN ('PURCHASE', 'RELOAD'))
            AND NOT EXISTS (
                SELECT FROM credits_ledgerentry AS entry
                WHERE entry.wallet_id = command.wallet_id
                    AND entry.idempotency_key = command.source_key
            ) AS is_alike
        FROM unnest(p_wallet_ids, p_sources, p_source_keys, p_effective_at)
            WITH ORDINALITY AS command (wallet_id, source, source_key, effective_at, n)
        LEFT JOIN credits_wallet AS wallet ON wallet.id = command.wallet_id
    ) AS judged;
    RETURN QUERY SELECT * FROM ledger_grant_alike(
        v_alike, p_wallet_ids, p_sources, p_source_keys, p_credits, p_cost_basis_cents,
        p_effective_at, p_expires_at, p_actors, p_reasons, p_at
    );

    FOR i IN
        SELECT n FROM unnest(p_wallet_ids, v_alike)
            WITH ORDINALITY AS command (wallet_id, is_alike, n)
        WHERE NOT is_alike ORDER BY wallet_id, n
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

        v_hash := ledger_grant_hash(p_sources[i], p_credits[i], p_cost_basis_cents[i]);
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
