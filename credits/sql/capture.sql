-- Charges what a job used against its hold, in the order in which it was taken.
--
-- Several captures are allowed while their sum stays within the hold (R73). A final
-- one gives the rest back, last taken first (R71). Costs above the hold are refused,
-- or, with p_absorbs, charged up to the hold: the rest is ours, as a line of its own.
-- outcome: POSTED, REPLAYED, CONFLICT, EXCEEDS_HOLD, CLOSED, NO_HOLD (R74).
CREATE OR REPLACE FUNCTION ledger_capture(
    p_hold_ids bigint[], p_credits bigint[], p_absorbs boolean[], p_finals boolean[],
    p_keys text[], p_hashes bytea[], p_actors text[], p_line_items integer[],
    p_line_features text[], p_line_quantities bigint[], p_line_credits bigint[],
    p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, credits bigint, rest bigint,
    state text, balance_after bigint, available bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet_id bigint;
    v_hold credits_hold;
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
    v_pin record;
    v_charge bigint;
    v_need bigint;
    v_take bigint;
    v_back bigint;
    v_given_back bigint;
    v_frozen bigint;
    v_due_at timestamptz;    -- when what is given back expires
    v_lines integer;
    v_is_final boolean;
    v_grant_ids bigint[];
    v_takes bigint[];
    v_backs bigint[];
    v_frozens bigint[];
    v_expired bigint[];
    v_id bigint;
BEGIN
    FOR i, v_wallet_id IN
        SELECT n, wallet_id FROM unnest(p_hold_ids) WITH ORDINALITY AS command (hold_id, n)
        LEFT JOIN credits_hold ON credits_hold.id = command.hold_id
        ORDER BY wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL; rest := NULL; state := NULL;
        balance_after := NULL; available := NULL;
        IF v_wallet_id IS NULL THEN
            outcome := 'NO_HOLD'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_wallet_id, p_at);
        SELECT * INTO v_hold FROM credits_hold WHERE id = p_hold_ids[i];
        state := v_hold.state;
        available := v_wallet.balance - v_wallet.held - v_wallet.frozen;
        rest := v_hold.credits - v_hold.captured;

        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            entry_id := v_entry.id; credits := v_entry.credits;
            balance_after := v_entry.balance_after;
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
            RETURN NEXT; CONTINUE;
        END IF;
        IF v_hold.state <> 'OPEN' THEN
            outcome := 'CLOSED'; RETURN NEXT; CONTINUE;
        END IF;
        IF p_credits[i] > rest AND NOT p_absorbs[i] THEN
            outcome := 'EXCEEDS_HOLD'; RETURN NEXT; CONTINUE;
        END IF;

        v_charge := least(p_credits[i], rest);
        v_is_final := p_finals[i] OR v_charge = rest;
        v_need := v_charge; v_given_back := 0; v_frozen := 0; v_due_at := NULL;
        v_grant_ids := '{}'; v_takes := '{}'; v_backs := '{}'; v_frozens := '{}';
        v_expired := '{}';
        FOR v_pin IN
            SELECT pin.*, lot.frozen_for <> '{}' AS is_frozen, lot.expires_at,
                lot.expires_at <= p_at AND lot.clock_stopped_at IS NULL AS is_expired
            FROM ledger_pinned(v_hold.id) AS pin
            JOIN credits_creditgrant AS lot ON lot.id = pin.grant_id
            ORDER BY pin.place
        LOOP
            v_take := least(v_need, v_pin.pinned);
            v_back := CASE WHEN v_is_final THEN v_pin.pinned - v_take ELSE 0 END;
            CONTINUE WHEN v_take = 0 AND v_back = 0;
            v_need := v_need - v_take;
            v_grant_ids := v_grant_ids || v_pin.grant_id;
            v_takes := v_takes || v_take;
            v_backs := v_backs || v_back;
            v_frozens := v_frozens || CASE WHEN v_pin.is_frozen THEN v_back ELSE 0 END;
            v_given_back := v_given_back + v_back;
            IF v_pin.is_frozen THEN
                v_frozen := v_frozen + v_back;
            END IF;
            IF v_back > 0 THEN
                v_due_at := least(v_due_at, v_pin.expires_at);
            END IF;
            IF v_back > 0 AND v_pin.is_expired THEN
                v_expired := v_expired || v_pin.grant_id;
            END IF;
        END LOOP;
        v_entry := ledger_post(
            v_wallet.id, 'CAPTURE', p_keys[i], p_hashes[i], -v_charge,
            -v_charge - v_given_back, v_frozen, 0, v_hold.id, NULL, p_actors[i], '',
            p_at, p_at
        );
        FOR j IN 1 .. cardinality(v_grant_ids) LOOP
            PERFORM ledger_draw(
                v_entry, j - 1, v_grant_ids[j], -v_takes[j], -v_takes[j] - v_backs[j],
                v_frozens[j]
            );
        END LOOP;

        IF v_wallet.has_caps THEN
            PERFORM ledger_count_usage(v_wallet.id, v_hold.member_id, v_charge, p_at);
        END IF;
        UPDATE credits_hold
        SET captured = captured + v_charge,
            state = CASE WHEN v_is_final THEN 'CAPTURED' ELSE state END,
            closed_at = CASE WHEN v_is_final THEN p_at ELSE closed_at END
        WHERE id = v_hold.id
        RETURNING credits_hold.state, credits_hold.credits - captured INTO state, rest;
        -- R8: what cost nothing is on record too.
        INSERT INTO credits_usageline (
            entry_id, position, wallet_id, feature, quantity, rate_version, credits
        )
        -- The lines of one command stand together.
        SELECT v_entry.id, line.n - array_position(p_line_items, i), v_wallet.id,
            line.feature, line.quantity, v_hold.rate_version, line.credits
        FROM unnest(
            p_line_items, p_line_features, p_line_quantities, p_line_credits
        ) WITH ORDINALITY AS line (item, feature, quantity, credits, n)
        WHERE line.item = i;
        GET DIAGNOSTICS v_lines = ROW_COUNT;
        IF v_charge < p_credits[i] THEN
            INSERT INTO credits_usageline (
                entry_id, position, wallet_id, feature, quantity, rate_version, credits
            )
            VALUES (
                v_entry.id, v_lines, v_wallet.id, 'absorbed', 0, v_hold.rate_version,
                v_charge - p_credits[i]
            );
        END IF;
        -- The quote was higher than the job: what it kept past its expiry ends now.
        FOREACH v_id IN ARRAY v_expired LOOP
            PERFORM ledger_end_grant(v_id, p_at, p_at);
        END LOOP;
        IF v_due_at < coalesce(v_wallet.next_expiry_at, 'infinity') THEN
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
        END IF;
        SELECT * INTO v_wallet FROM credits_wallet WHERE id = v_wallet.id;

        outcome := 'POSTED'; entry_id := v_entry.id; credits := -v_charge;
        balance_after := v_entry.balance_after;
        available := v_wallet.balance - v_wallet.held - v_wallet.frozen;
        RETURN NEXT;
    END LOOP;
END $$;
