-- Takes the credits of one job: what ledger_spend does, for a command by itself.
--
-- Nearly every job is plain: nothing of its wallet is due, neither terms nor caps stand
-- in its way, its key is new, and the grant whose turn it is (R2) covers it. Such a job
-- is written as it is decided, a row a statement, in half the time. Whatever else there
-- is to decide is ledger_spend's.
CREATE OR REPLACE FUNCTION ledger_spend_one(
    p_wallet_id bigint, p_credits bigint, p_key text, p_hash bytea, p_member_id bigint,
    p_member text, p_reference text, p_actor text, p_line_features text[],
    p_line_quantities bigint[], p_line_rate_versions integer[],
    p_line_credits bigint[], p_at timestamptz,
    OUT outcome text, OUT entry_id bigint, OUT seq bigint, OUT credits bigint,
    OUT balance_after bigint, OUT available bigint, OUT occurred_at timestamptz,
    OUT spending_block text, OUT way_forward text, OUT cap bigint, OUT used bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    v_turn bigint;              -- the grant whose turn it is
    v_grant_id bigint;
    v_remaining bigint;
BEGIN
    -- The lock: what the statements after it see of this wallet stays as it is.
    UPDATE credits_wallet
    SET balance = balance - p_credits, seq = seq + 1
    WHERE id = p_wallet_id AND p_credits > 0
        AND balance - held - frozen >= p_credits AND spending_block = ''
        AND (spends_until > p_at OR spends_until IS NULL)
        AND (next_expiry_at > p_at OR next_expiry_at IS NULL) AND NOT has_caps
    RETURNING seq, balance, balance - held - frozen, next_grant_id
    INTO seq, balance_after, available, v_turn;
    IF FOUND THEN
        v_turn := coalesce(v_turn, ledger_find_turn(p_wallet_id));
        UPDATE credits_creditgrant
        SET remaining = remaining - p_credits, is_open = (remaining > p_credits)
        WHERE id = v_turn AND remaining - held >= p_credits
            AND NOT EXISTS (
                SELECT FROM credits_ledgerentry
                WHERE wallet_id = p_wallet_id AND idempotency_key = p_key
            )
        RETURNING id, remaining INTO v_grant_id, v_remaining;
        IF NOT FOUND THEN
            UPDATE credits_wallet SET balance = balance + p_credits, seq = seq - 1
            WHERE id = p_wallet_id;
        END IF;
    END IF;
    IF v_grant_id IS NULL THEN
        SELECT spent.outcome, spent.entry_id, spent.seq, spent.credits,
            spent.balance_after, spent.available, spent.occurred_at,
            spent.spending_block, spent.way_forward, spent.cap, spent.used
        INTO outcome, entry_id, seq, credits, balance_after, available, occurred_at,
            spending_block, way_forward, cap, used
        FROM ledger_spend(
            ARRAY[p_wallet_id], ARRAY[p_credits], ARRAY[p_key], ARRAY[p_hash],
            ARRAY[p_member_id], ARRAY[p_member], ARRAY[p_reference], ARRAY[p_actor],
            array_fill(1, ARRAY[cardinality(p_line_features)]),
            ARRAY(SELECT n - 1 FROM generate_subscripts(p_line_features, 1) AS n),
            p_line_features, p_line_quantities, p_line_rate_versions, p_line_credits,
            p_at
        ) AS spent;
        RETURN;
    END IF;

    outcome := 'POSTED'; credits := -p_credits; occurred_at := p_at;
    INSERT INTO credits_ledgerentry (
        wallet_id, seq, kind, credits, balance_after, idempotency_key, request_hash,
        member_id, member, reference, actor, reason, occurred_at, created_at
    )
    VALUES (
        p_wallet_id, seq, 'SPEND', -p_credits, balance_after, p_key, p_hash,
        p_member_id, p_member, p_reference, p_actor, '', p_at, p_at
    )
    RETURNING id INTO entry_id;
    INSERT INTO credits_grantdraw (
        entry_id, grant_id, wallet_id, position, credits, remaining_after
    )
    VALUES (entry_id, v_grant_id, p_wallet_id, 0, -p_credits, v_remaining);
    FOR n IN 1 .. cardinality(p_line_features) LOOP
        INSERT INTO credits_usageline (
            entry_id, position, wallet_id, feature, quantity, rate_version, credits
        )
        VALUES (
            entry_id, n - 1, p_wallet_id, p_line_features[n], p_line_quantities[n],
            p_line_rate_versions[n], p_line_credits[n]
        );
    END LOOP;
END $$;
