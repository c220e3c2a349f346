-- Charges one job against its hold: what ledger_capture does, for a command by itself.
--
-- A plain capture is written as it is decided: it is the first one and the last, its
-- hold covers it and is pinned to one grant that neither has expired nor is frozen, its
-- key is new, and nothing of its wallet is due. Whatever else there is to decide is
-- ledger_capture's.
CREATE OR REPLACE FUNCTION ledger_capture_one(
    p_hold_id bigint, p_credits bigint, p_absorbs boolean, p_is_final boolean,
    p_key text, p_hash bytea, p_actor text, p_line_features text[],
    p_line_quantities bigint[], p_line_credits bigint[], p_at timestamptz,
    OUT outcome text, OUT entry_id bigint, OUT credits bigint, OUT rest bigint,
    OUT state text, OUT balance_after bigint, OUT available bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    v_hold credits_hold;
    v_seq bigint;
    v_looks_at timestamptz;     -- when the wallet looks for what is due
    v_turn bigint;              -- the grant whose turn it is
    v_grant_id bigint;
    v_remaining bigint;
    v_due_at timestamptz;       -- when what is given back expires
    v_is_plain boolean := false;
BEGIN
    SELECT * INTO v_hold FROM credits_hold WHERE id = p_hold_id;
    IF p_is_final AND p_credits BETWEEN 0 AND v_hold.credits THEN
        -- The lock: what the statements after it see of this wallet stays as it is.
        UPDATE credits_wallet
        SET balance = balance - p_credits, held = held - v_hold.credits, seq = seq + 1
        WHERE id = v_hold.wallet_id AND held >= v_hold.credits
            AND (next_expiry_at > p_at OR next_expiry_at IS NULL) AND NOT has_caps
        RETURNING seq, balance, balance - held - frozen, next_expiry_at, next_grant_id
        INTO v_seq, balance_after, available, v_looks_at, v_turn;
        v_is_plain := FOUND;
    END IF;
    IF v_is_plain THEN
        UPDATE credits_creditgrant
        SET remaining = remaining - p_credits, held = held - v_hold.credits,
            is_open = (remaining > p_credits)
        WHERE id = v_hold.grant_id AND frozen_for = '{}' AND (expires_at > p_at OR expires_at IS NULL)
            AND EXISTS (
                SELECT FROM credits_hold
                WHERE id = p_hold_id AND state = 'OPEN' AND captured = 0
            )
            AND NOT EXISTS (
                SELECT FROM credits_ledgerentry
                WHERE wallet_id = v_hold.wallet_id AND idempotency_key = p_key
            )
        RETURNING id, remaining, CASE WHEN p_credits < v_hold.credits THEN expires_at END
        INTO v_grant_id, v_remaining, v_due_at;
        IF NOT FOUND THEN
            UPDATE credits_wallet
            SET balance = balance + p_credits, held = held + v_hold.credits,
                seq = seq - 1
            WHERE id = v_hold.wallet_id;
        END IF;
    END IF;
    IF v_grant_id IS NULL THEN
        SELECT taken.outcome, taken.entry_id, taken.credits, taken.rest, taken.state,
            taken.balance_after, taken.available
        INTO outcome, entry_id, credits, rest, state, balance_after, available
        FROM ledger_capture(
            ARRAY[p_hold_id], ARRAY[p_credits], ARRAY[p_absorbs], ARRAY[p_is_final],
            ARRAY[p_key], ARRAY[p_hash], ARRAY[p_actor],
            array_fill(1, ARRAY[cardinality(p_line_features)]), p_line_features,
            p_line_quantities, p_line_credits, p_at
        ) AS taken;
        RETURN;
    END IF;

    outcome := 'POSTED'; credits := -p_credits; state := 'CAPTURED';
    rest := v_hold.credits - p_credits;
    UPDATE credits_hold
    SET captured = p_credits, state = 'CAPTURED', closed_at = p_at
    WHERE id = p_hold_id;
    INSERT INTO credits_ledgerentry (
        wallet_id, seq, kind, credits, held, balance_after, hold_id, idempotency_key,
        request_hash, member_id, member, reference, actor, reason, occurred_at,
        created_at
    )
    VALUES (
        v_hold.wallet_id, v_seq, 'CAPTURE', -p_credits, -v_hold.credits, balance_after,
        p_hold_id, p_key, p_hash, v_hold.member_id, v_hold.member, v_hold.reference,
        p_actor, '', p_at, p_at
    )
    RETURNING id INTO entry_id;
    INSERT INTO credits_grantdraw (
        entry_id, grant_id, wallet_id, position, credits, held, remaining_after
    )
    VALUES (
        entry_id, v_grant_id, v_hold.wallet_id, 0, -p_credits, -v_hold.credits,
        v_remaining
    );
    -- R8: what cost nothing is on record too.
    FOR n IN 1 .. cardinality(p_line_features) LOOP
        INSERT INTO credits_usageline (
            entry_id, position, wallet_id, feature, quantity, rate_version, credits
        )
        VALUES (
            entry_id, n - 1, v_hold.wallet_id, p_line_features[n],
            p_line_quantities[n], v_hold.rate_version, p_line_credits[n]
        );
    END LOOP;
    -- What had been held says when it expires, and takes its turn, once it is back.
    IF rest > 0
        AND (v_turn <> v_grant_id OR v_due_at < coalesce(v_looks_at, 'infinity'))
    THEN
        UPDATE credits_wallet
        SET next_expiry_at = least(next_expiry_at, v_due_at), next_grant_id = NULL
        WHERE id = v_hold.wallet_id;
    END IF;
END $$;
