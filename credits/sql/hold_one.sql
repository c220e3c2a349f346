-- Reserves credits for one job: what ledger_hold does, for a command by itself.
--
-- As with ledger_spend_one, a plain hold is written as it is decided: nothing of its
-- wallet is due, neither terms nor caps stand in its way, its key is new, and the grant
-- whose turn it is (R2) covers it. Whatever else there is to decide is ledger_hold's.
CREATE OR REPLACE FUNCTION ledger_hold_one(
    p_wallet_id bigint, p_public_id text, p_credits bigint, p_key text, p_hash bytea,
    p_rate_plan text, p_rate_version integer, p_member_id bigint, p_member text,
    p_reference text, p_actor text, p_ttl interval, p_longest interval,
    p_at timestamptz,
    OUT outcome text, OUT entry_id bigint, OUT hold_id bigint, OUT public_id text,
    OUT expires_at timestamptz, OUT available bigint, OUT spending_block text,
    OUT way_forward text, OUT cap bigint, OUT used bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    v_seq bigint;
    v_balance bigint;
    v_turn bigint;              -- the grant whose turn it is
    v_grant_id bigint;
    v_remaining bigint;
    v_ends_at timestamptz := p_at + least(p_ttl, p_longest);
BEGIN
    -- The lock: what the statements after it see of this wallet stays as it is. To
    -- look for what is due too soon does no harm.
    UPDATE credits_wallet
    SET held = held + p_credits, seq = seq + 1,
        next_expiry_at = least(next_expiry_at, v_ends_at)
    WHERE id = p_wallet_id AND p_credits > 0
        AND balance - held - frozen >= p_credits AND spending_block = ''
        AND (spends_until > p_at OR spends_until IS NULL)
        AND (next_expiry_at > p_at OR next_expiry_at IS NULL) AND NOT has_caps
    RETURNING seq, balance, balance - held - frozen, next_grant_id
    INTO v_seq, v_balance, available, v_turn;
    IF FOUND THEN
        v_turn := coalesce(v_turn, ledger_find_turn(p_wallet_id));
        UPDATE credits_creditgrant
        SET held = held + p_credits
        WHERE id = v_turn AND remaining - held >= p_credits
            AND NOT EXISTS (
                SELECT FROM credits_ledgerentry
                WHERE wallet_id = p_wallet_id AND idempotency_key = p_key
            )
        RETURNING id, remaining INTO v_grant_id, v_remaining;
        IF NOT FOUND THEN
            UPDATE credits_wallet SET held = held - p_credits, seq = seq - 1
            WHERE id = p_wallet_id;
        END IF;
    END IF;
    IF v_grant_id IS NULL THEN
        SELECT placed.outcome, placed.entry_id, placed.hold_id, placed.public_id,
            placed.expires_at, placed.available, placed.spending_block,
            placed.way_forward, placed.cap, placed.used
        INTO outcome, entry_id, hold_id, public_id, expires_at, available,
            spending_block, way_forward, cap, used
        FROM ledger_hold(
            ARRAY[p_wallet_id], ARRAY[p_public_id], ARRAY[p_credits], ARRAY[p_key],
            ARRAY[p_hash], ARRAY[p_rate_plan], ARRAY[p_rate_version],
            ARRAY[p_member_id], ARRAY[p_member], ARRAY[p_reference], ARRAY[p_actor],
            p_ttl, p_longest, p_at
        ) AS placed;
        RETURN;
    END IF;

    outcome := 'POSTED'; public_id := p_public_id; expires_at := v_ends_at;
    INSERT INTO credits_hold (
        public_id, wallet_id, state, credits, captured, rate_plan, rate_version,
        reference, member_id, member, placed_at, expires_at, extendable_until,
        grant_id
    )
    VALUES (
        p_public_id, p_wallet_id, 'OPEN', p_credits, 0, p_rate_plan, p_rate_version,
        p_reference, p_member_id, p_member, p_at, v_ends_at, p_at + p_longest,
        v_grant_id
    )
    RETURNING id INTO hold_id;
    INSERT INTO credits_ledgerentry (
        wallet_id, seq, kind, credits, held, balance_after, hold_id, idempotency_key,
        request_hash, member_id, member, reference, actor, reason, occurred_at,
        created_at
    )
    VALUES (
        p_wallet_id, v_seq, 'HOLD', 0, p_credits, v_balance, hold_id, p_key, p_hash,
        p_member_id, p_member, p_reference, p_actor, '', p_at, p_at
    )
    RETURNING id INTO entry_id;
    INSERT INTO credits_grantdraw (
        entry_id, grant_id, wallet_id, position, credits, held, remaining_after
    )
    VALUES (entry_id, v_grant_id, p_wallet_id, 0, 0, p_credits, v_remaining);
END $$;
