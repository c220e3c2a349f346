-- Makes what is free of a grant unusable, for one more reason. A grant stays frozen
-- until its last reason ends. In a dispute, a fraud warning or a pause its clock
-- stands still (R66, R83, R84); for want of a plan it runs on (R58).
-- outcome: POSTED, REPLAYED, CONFLICT, ALREADY (frozen for that reason: no entry),
-- NO_GRANT.
CREATE OR REPLACE FUNCTION ledger_freeze(
    p_grant_ids bigint[], p_freezes text[], p_keys text[], p_hashes bytea[],
    p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (item integer, outcome text, entry_id bigint, frozen bigint)
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
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_grant_ids) WITH ORDINALITY AS command (grant_id, n)
        LEFT JOIN credits_creditgrant ON credits_creditgrant.id = command.grant_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; frozen := NULL;
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_GRANT'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_grant.wallet_id, p_at);
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF p_freezes[i] = ANY (v_grant.frozen_for) THEN
            outcome := 'ALREADY';
        ELSE
            v_free := CASE WHEN v_grant.frozen_for = '{}'
                THEN v_grant.remaining - v_grant.held ELSE 0 END;
            UPDATE credits_creditgrant
            SET frozen_for = frozen_for || p_freezes[i]::varchar,
                clock_stopped_at = CASE WHEN p_freezes[i] = 'NO_PLAN'
                    THEN clock_stopped_at ELSE coalesce(clock_stopped_at, p_at) END
            WHERE id = v_grant.id;
            v_entry := ledger_post(
                v_wallet.id, 'FREEZE', p_keys[i], p_hashes[i], 0, 0, v_free, 0, NULL,
                NULL, p_actors[i], p_reasons[i], p_at, p_at
            );
            IF v_free > 0 THEN
                PERFORM ledger_draw(v_entry, 0, v_grant.id, 0, 0, v_free);
            END IF;
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id; frozen := v_entry.frozen;
        RETURN NEXT;
    END LOOP;
END $$;

-- Ends one reason for which a grant is frozen. When the last one that stopped its
-- clock ends, its expiry moves by the time that the clock stood still (R83).
-- outcome: POSTED, REPLAYED, CONFLICT, NOT_FROZEN (not for that reason), NO_GRANT.
CREATE OR REPLACE FUNCTION ledger_unfreeze(
    p_grant_ids bigint[], p_freezes text[], p_keys text[], p_hashes bytea[],
    p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (item integer, outcome text, entry_id bigint, frozen bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet credits_wallet;
    v_grant credits_creditgrant;
    v_entry credits_ledgerentry;
    v_left varchar[];
    v_free bigint;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_grant_ids) WITH ORDINALITY AS command (grant_id, n)
        LEFT JOIN credits_creditgrant ON credits_creditgrant.id = command.grant_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; frozen := NULL;
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_GRANT'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_grant.wallet_id, p_at);
        SELECT * INTO v_grant FROM credits_creditgrant WHERE id = p_grant_ids[i];
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF NOT p_freezes[i] = ANY (v_grant.frozen_for) THEN
            outcome := 'NOT_FROZEN';
        ELSE
            v_left := array_remove(v_grant.frozen_for, p_freezes[i]::varchar);
            v_free := CASE WHEN v_left = '{}'
                THEN v_grant.remaining - v_grant.held ELSE 0 END;
            IF v_left <@ ARRAY['NO_PLAN']::varchar[]
                AND v_grant.clock_stopped_at IS NOT NULL
            THEN
                -- Clocks of hosts differ: a date never moves backwards.
                v_grant.expires_at := v_grant.expires_at
                    + greatest(p_at - v_grant.clock_stopped_at, interval '0');
                v_grant.clock_stopped_at := NULL;
            END IF;
            UPDATE credits_creditgrant
            SET frozen_for = v_left, expires_at = v_grant.expires_at,
                clock_stopped_at = v_grant.clock_stopped_at
            WHERE id = v_grant.id;
            v_entry := ledger_post(
                v_wallet.id, 'UNFREEZE', p_keys[i], p_hashes[i], 0, 0, -v_free, 0, NULL,
                NULL, p_actors[i], p_reasons[i], p_at, p_at
            );
            IF v_free > 0 THEN
                PERFORM ledger_draw(v_entry, 0, v_grant.id, 0, 0, -v_free);
            END IF;
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id; frozen := v_entry.frozen;
        RETURN NEXT;
    END LOOP;
END $$;
