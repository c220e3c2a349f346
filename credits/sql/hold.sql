-- Reserves credits for a job, in the order of R2, and pins them to it (R68).
--
-- Arrays hold one command a place; a row comes back for each. outcome: POSTED,
-- REPLAYED, CONFLICT, CAPPED, INSUFFICIENT, BLOCKED, NO_WALLET. `used` is what the
-- member has used of the tightest cap, if there is one (R87). The balance stays: what
-- is held can be neither spent nor expire (R69) until it is captured or released.
CREATE OR REPLACE FUNCTION ledger_hold(
    p_wallet_ids bigint[], p_public_ids text[], p_credits bigint[], p_keys text[],
    p_hashes bytea[], p_rate_plans text[], p_rate_versions integer[],
    p_member_ids bigint[], p_members text[], p_references text[], p_actors text[],
    p_ttl interval, p_longest interval, p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, hold_id bigint, public_id text,
    expires_at timestamptz, available bigint, spending_block text, way_forward text,
    cap bigint, used bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
    v_grant record;
    v_place integer;
    v_need bigint;
    v_take bigint;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_wallet_ids) WITH ORDINALITY AS command (wallet_id, n)
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; hold_id := NULL; public_id := NULL;
        expires_at := NULL; cap := NULL; used := NULL;
        v_wallet := ledger_lock(p_wallet_ids[i], p_at);
        available := v_wallet.balance - v_wallet.held - v_wallet.frozen;
        spending_block := v_wallet.spending_block;
        way_forward := v_wallet.way_forward;
        IF v_wallet.id IS NULL THEN
            outcome := 'NO_WALLET'; RETURN NEXT; CONTINUE;
        END IF;

        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            entry_id := v_entry.id;
            SELECT hold.id, hold.public_id, hold.expires_at
            INTO hold_id, public_id, expires_at
            FROM credits_hold AS hold WHERE hold.id = v_entry.hold_id;
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
            RETURN NEXT; CONTINUE;
        END IF;
        IF v_wallet.spending_block <> '' THEN
            outcome := 'BLOCKED'; RETURN NEXT; CONTINUE;
        END IF;
        -- Before there is talk of credits: to buy more would not help (R45).
        IF v_wallet.has_caps AND p_member_ids[i] IS NOT NULL THEN
            SELECT limits.* INTO cap, used
            FROM ledger_member_cap(v_wallet, p_member_ids[i], p_at) AS limits;
            IF p_credits[i] > 0 AND used + p_credits[i] > cap THEN
                outcome := 'CAPPED'; RETURN NEXT; CONTINUE;
            END IF;
        END IF;
        IF available < p_credits[i] THEN
            outcome := 'INSUFFICIENT'; RETURN NEXT; CONTINUE;
        END IF;

        INSERT INTO credits_hold (
            public_id, wallet_id, state, credits, captured, rate_plan, rate_version,
            reference, member_id, member, placed_at, expires_at, extendable_until
        )
        VALUES (
            p_public_ids[i], v_wallet.id, 'OPEN', p_credits[i], 0, p_rate_plans[i],
            p_rate_versions[i], p_references[i], p_member_ids[i], p_members[i], p_at,
            p_at + least(p_ttl, p_longest), p_at + p_longest
        )
        RETURNING credits_hold.id, credits_hold.public_id, credits_hold.expires_at
        INTO hold_id, public_id, expires_at;
        v_entry := ledger_post(
            v_wallet.id, 'HOLD', p_keys[i], p_hashes[i], 0, p_credits[i], 0, 0, hold_id,
            NULL, p_actors[i], '', p_at, p_at
        );
        v_need := p_credits[i]; v_place := 0;
        FOR v_grant IN SELECT * FROM ledger_spendable(v_wallet.id) LOOP
            EXIT WHEN v_need = 0;
            v_take := least(v_need, v_grant.free);
            PERFORM ledger_draw(v_entry, v_place, v_grant.grant_id, 0, v_take, 0);
            v_need := v_need - v_take; v_place := v_place + 1;
        END LOOP;
        IF v_need > 0 THEN
            RAISE EXCEPTION 'wallet % holds less than its balance', v_wallet.id
                USING ERRCODE = 'data_corrupted';
        END IF;
        IF v_wallet.next_expiry_at > expires_at OR v_wallet.next_expiry_at IS NULL THEN
            UPDATE credits_wallet SET next_expiry_at = expires_at
            WHERE id = v_wallet.id;
        END IF;
        outcome := 'POSTED'; entry_id := v_entry.id;
        available := available - p_credits[i];
        RETURN NEXT;
    END LOOP;
END $$;

-- Lets open holds live longer: to p_at + p_ttl, and never past their longest (R68).
-- outcome: POSTED, REPLAYED, CONFLICT, CLOSED, NO_HOLD.
CREATE OR REPLACE FUNCTION ledger_extend_hold(
    p_hold_ids bigint[], p_keys text[], p_hashes bytea[], p_actors text[],
    p_ttl interval, p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, state text, expires_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_hold credits_hold;
    v_entry credits_ledgerentry;
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_hold_ids) WITH ORDINALITY AS command (hold_id, n)
        LEFT JOIN credits_hold ON credits_hold.id = command.hold_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; state := NULL; expires_at := NULL;
        SELECT * INTO v_hold FROM credits_hold WHERE id = p_hold_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_HOLD'; RETURN NEXT; CONTINUE;
        END IF;
        PERFORM ledger_lock(v_hold.wallet_id, p_at);
        SELECT * INTO v_hold FROM credits_hold WHERE id = p_hold_ids[i];
        state := v_hold.state; expires_at := v_hold.expires_at;
        v_entry := ledger_first(v_hold.wallet_id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            entry_id := v_entry.id;
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
            RETURN NEXT; CONTINUE;
        END IF;
        IF v_hold.state <> 'OPEN' THEN
            outcome := 'CLOSED'; RETURN NEXT; CONTINUE;
        END IF;
        UPDATE credits_hold
        SET expires_at = greatest(expires_at, least(p_at + p_ttl, extendable_until))
        WHERE id = v_hold.id
        RETURNING credits_hold.expires_at INTO expires_at;
        v_entry := ledger_post(
            v_hold.wallet_id, 'EXTEND_HOLD', p_keys[i], p_hashes[i], 0, 0, 0, 0,
            v_hold.id, NULL, p_actors[i], '', p_at, p_at
        );
        UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
        WHERE id = v_hold.wallet_id;
        outcome := 'POSTED'; entry_id := v_entry.id;
        RETURN NEXT;
    END LOOP;
END $$;
