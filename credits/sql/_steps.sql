-- Steps that the verbs share. The application may call none of them; they run with
-- the rights, the search path and the planner settings of the verb that calls them.
-- Whoever calls one holds the wallet's lock, taken by ledger_lock.

-- What a wallet waits for next: a grant's expiry, a hold's, or its plan's end. A wallet
-- may say less than this, never more: it then looks too soon, finds nothing due, and
-- puts it right.
CREATE OR REPLACE FUNCTION ledger_next_expiry(p_wallet_id bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN least(
        (SELECT min(expires_at) FROM credits_creditgrant
         WHERE wallet_id = p_wallet_id AND is_open AND remaining > held
            AND clock_stopped_at IS NULL),
        (SELECT min(expires_at) FROM credits_hold
         WHERE wallet_id = p_wallet_id AND state = 'OPEN'),
        (SELECT plan_ends_at FROM credits_wallet
         WHERE id = p_wallet_id AND NOT plan_is_over)
    );
END $$;

-- Writes one entry and moves the wallet by it. The caller writes the draws.
CREATE OR REPLACE FUNCTION ledger_post(
    p_wallet_id bigint, p_kind text, p_key text, p_hash bytea, p_credits bigint,
    p_held bigint, p_frozen bigint, p_debt bigint, p_hold_id bigint,
    p_reverses_id bigint, p_actor text, p_reason text, p_occurred_at timestamptz,
    p_at timestamptz
) RETURNS credits_ledgerentry
LANGUAGE plpgsql AS $$
DECLARE
    v_wallet credits_wallet;
    v_entry credits_ledgerentry;
BEGIN
    UPDATE credits_wallet
    SET balance = balance + p_credits, held = held + p_held,
        frozen = frozen + p_frozen, debt = debt + p_debt, seq = seq + 1,
        next_grant_id = NULL
    WHERE id = p_wallet_id
    RETURNING * INTO STRICT v_wallet;
    INSERT INTO credits_ledgerentry (
        wallet_id, seq, kind, credits, held, frozen, debt, balance_after, hold_id,
        reverses_id, idempotency_key, request_hash, member_id, member, reference,
        actor, reason, occurred_at, created_at
    )
    SELECT p_wallet_id, v_wallet.seq, p_kind, p_credits, p_held, p_frozen, p_debt,
        v_wallet.balance, p_hold_id, p_reverses_id, p_key, p_hash, hold.member_id,
        coalesce(hold.member, ''), coalesce(hold.reference, ''), p_actor, p_reason,
        p_occurred_at, p_at
    FROM (VALUES (p_hold_id)) AS job (hold_id)
    LEFT JOIN credits_hold AS hold ON hold.id = job.hold_id
    RETURNING * INTO v_entry;
    RETURN v_entry;
END $$;

-- Writes one draw and moves its grant by it.
CREATE OR REPLACE FUNCTION ledger_draw(
    p_entry credits_ledgerentry, p_position integer, p_grant_id bigint,
    p_credits bigint, p_held bigint, p_frozen bigint
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_remaining bigint;
BEGIN
    UPDATE credits_creditgrant
    SET remaining = remaining + p_credits, held = held + p_held,
        is_open = (remaining + p_credits > 0)
    WHERE id = p_grant_id
    RETURNING remaining INTO STRICT v_remaining;
    INSERT INTO credits_grantdraw (
        entry_id, grant_id, wallet_id, position, credits, held, frozen, remaining_after
    )
    VALUES (
        p_entry.id, p_grant_id, p_entry.wallet_id, p_position, p_credits, p_held,
        p_frozen, v_remaining
    );
END $$;

-- Ends what is free of one grant. R69: what a job holds outlives the expiry.
CREATE OR REPLACE FUNCTION ledger_end_grant(
    p_grant_id bigint, p_occurred_at timestamptz, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_grant credits_creditgrant;
    v_free bigint;
    v_frozen bigint;
    v_entry credits_ledgerentry;
    v_seq bigint;
BEGIN
    SELECT * INTO STRICT v_grant FROM credits_creditgrant WHERE id = p_grant_id;
    v_free := v_grant.remaining - v_grant.held;
    IF v_free = 0 THEN
        RETURN;
    END IF;
    v_frozen := CASE WHEN v_grant.frozen_for = '{}' THEN 0 ELSE v_free END;
    SELECT seq INTO v_seq FROM credits_wallet WHERE id = v_grant.wallet_id;
    -- A grant can end more than once: held credits come back after its expiry.
    v_entry := ledger_post(
        v_grant.wallet_id, 'EXPIRE', 'expire:' || p_grant_id || ':' || v_seq + 1, '',
        -v_free, 0, -v_frozen, 0, NULL, NULL, 'system', '', p_occurred_at, p_at
    );
    PERFORM ledger_draw(v_entry, 0, p_grant_id, -v_free, 0, -v_frozen);
END $$;

-- What a hold still pins, in the order in which it was taken.
CREATE OR REPLACE FUNCTION ledger_pinned(p_hold_id bigint)
RETURNS TABLE (place integer, grant_id bigint, pinned bigint)
LANGUAGE sql STABLE AS $$
    SELECT min(draw.position)::integer, draw.grant_id, sum(draw.held)::bigint
    FROM credits_ledgerentry AS entry
    JOIN credits_grantdraw AS draw ON draw.entry_id = entry.id
    WHERE entry.hold_id = p_hold_id
    GROUP BY draw.grant_id
    HAVING sum(draw.held) > 0
    ORDER BY 1;
$$;

-- Closes a hold and gives what it pins back to its grants. R70: what comes back to
-- an expired grant ends now, unless the failure was ours: then it lives 72 hours more.
CREATE OR REPLACE FUNCTION ledger_release_hold(
    p_hold_id bigint, p_state text, p_is_our_failure boolean, p_key text, p_hash bytea,
    p_actor text, p_occurred_at timestamptz, p_at timestamptz
) RETURNS credits_ledgerentry
LANGUAGE plpgsql AS $$
DECLARE
    v_hold credits_hold;
    v_entry credits_ledgerentry;
    v_pin record;
    v_frozen bigint;
    v_expired bigint[] := '{}';
    v_id bigint;
BEGIN
    UPDATE credits_hold SET state = p_state, closed_at = p_occurred_at
    WHERE id = p_hold_id
    RETURNING * INTO STRICT v_hold;

    SELECT coalesce(sum(pin.pinned), 0)::bigint AS pinned,
        coalesce(sum(pin.pinned) FILTER (WHERE lot.frozen_for <> '{}'), 0)::bigint
            AS frozen
    INTO v_pin
    FROM ledger_pinned(p_hold_id) AS pin
    JOIN credits_creditgrant AS lot ON lot.id = pin.grant_id;
    v_entry := ledger_post(
        v_hold.wallet_id, 'RELEASE', p_key, p_hash, 0, -v_pin.pinned, v_pin.frozen, 0,
        p_hold_id, NULL, p_actor, '', p_occurred_at, p_at
    );
    FOR v_pin IN
        -- Only what was pinned before this entry, which has no draws yet.
        SELECT pin.*, lot.frozen_for <> '{}' AS is_frozen,
            lot.expires_at <= p_occurred_at AND lot.clock_stopped_at IS NULL
                AS is_expired
        FROM ledger_pinned(p_hold_id) AS pin
        JOIN credits_creditgrant AS lot ON lot.id = pin.grant_id
        ORDER BY pin.place
    LOOP
        v_frozen := CASE WHEN v_pin.is_frozen THEN v_pin.pinned ELSE 0 END;
        PERFORM ledger_draw(
            v_entry, v_pin.place, v_pin.grant_id, 0, -v_pin.pinned, v_frozen
        );
        IF v_pin.is_expired THEN
            v_expired := v_expired || v_pin.grant_id;
        END IF;
    END LOOP;

    IF p_is_our_failure THEN
        UPDATE credits_creditgrant SET expires_at = p_occurred_at + interval '72 hours'
        WHERE id = ANY (v_expired);
    ELSE
        FOREACH v_id IN ARRAY v_expired LOOP
            PERFORM ledger_end_grant(v_id, p_occurred_at, p_at);
        END LOOP;
    END IF;
    RETURN v_entry;
END $$;

-- The plan is over: what plans gave before ends with it, whatever its own date (R15,
-- R58), also what a dispute or a pause had stopped. What jobs hold stays theirs (R61).
CREATE OR REPLACE FUNCTION ledger_end_plan(p_wallet_id bigint) RETURNS void
LANGUAGE sql AS $$
    UPDATE credits_creditgrant AS lot
    SET expires_at = wallet.plan_ends_at, clock_stopped_at = NULL
    FROM credits_wallet AS wallet
    WHERE wallet.id = p_wallet_id AND lot.wallet_id = wallet.id AND lot.is_open
        AND lot.source IN ('PLAN', 'UPGRADE') AND lot.effective_at <= wallet.plan_ends_at
        AND (lot.expires_at > wallet.plan_ends_at OR lot.expires_at IS NULL
            OR lot.clock_stopped_at IS NOT NULL);
    UPDATE credits_wallet SET plan_is_over = true, next_grant_id = NULL
    WHERE id = p_wallet_id;
$$;

-- Ends every grant and every hold whose time has come, in the order of time, however
-- late this runs (R5, R17): each leaves an entry dated at its own instant.
CREATE OR REPLACE FUNCTION ledger_settle_due(p_wallet_id bigint, p_at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_due record;
BEGIN
    LOOP
        SELECT * INTO v_due FROM (
            -- First, so that at this instant all that ends with it is due.
            SELECT plan_ends_at AS expires_at, -1 AS rank, id FROM credits_wallet
            WHERE id = p_wallet_id AND plan_ends_at <= p_at AND NOT plan_is_over
            UNION ALL
            SELECT expires_at, 0, id FROM credits_creditgrant
            WHERE wallet_id = p_wallet_id AND is_open AND remaining > held
                AND expires_at <= p_at AND clock_stopped_at IS NULL
            UNION ALL
            -- At one instant grants end first: a released hold must not revive
            -- what ends with it.
            SELECT expires_at, 1, id FROM credits_hold
            WHERE wallet_id = p_wallet_id AND state = 'OPEN' AND expires_at <= p_at
        ) AS due
        ORDER BY expires_at, rank, id LIMIT 1;
        EXIT WHEN NOT FOUND;
        IF v_due.rank = -1 THEN
            PERFORM ledger_end_plan(p_wallet_id);
        ELSIF v_due.rank = 0 THEN
            PERFORM ledger_end_grant(v_due.id, v_due.expires_at, p_at);
        ELSE
            -- A hold that nobody settles was lost by us, not by the customer.
            PERFORM ledger_release_hold(
                v_due.id, 'EXPIRED', true, 'hold-expired:' || v_due.id, '', 'system',
                v_due.expires_at, p_at
            );
        END IF;
    END LOOP;
    UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(p_wallet_id)
    WHERE id = p_wallet_id;
END $$;

-- What forbids a wallet to spend at an instant, as Wallet.block_at says: from the end of
-- its terms on (R58, R62), though nobody has said so yet.
CREATE OR REPLACE FUNCTION ledger_block(p_wallet credits_wallet, p_at timestamptz)
RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_wallet.spends_until <= p_at AND p_wallet.spending_block = ''
            THEN CASE WHEN p_wallet.plan_ends_at <= p_at
                THEN 'NO_PAID_PLAN' ELSE 'PAYMENT_OVERDUE' END
        ELSE p_wallet.spending_block
    END;
$$;

-- Locks a wallet, ends what is due, and returns it as it then is: with the block that
-- holds at p_at.
CREATE OR REPLACE FUNCTION ledger_lock(p_wallet_id bigint, p_at timestamptz)
RETURNS credits_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_wallet credits_wallet;
BEGIN
    SELECT * INTO v_wallet FROM credits_wallet WHERE id = p_wallet_id
    FOR NO KEY UPDATE;
    IF v_wallet.next_expiry_at <= p_at THEN
        PERFORM ledger_settle_due(p_wallet_id, p_at);
        SELECT * INTO v_wallet FROM credits_wallet WHERE id = p_wallet_id;
    END IF;
    v_wallet.spending_block := ledger_block(v_wallet, p_at);
    RETURN v_wallet;
END $$;

-- Locks wallets, and ends what is due. Lock order everywhere: wallets by ascending id.
CREATE OR REPLACE FUNCTION ledger_lock_all(p_wallet_ids bigint[], p_at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_wallet record;
BEGIN
    FOR v_wallet IN
        SELECT id, next_expiry_at FROM credits_wallet WHERE id = ANY (p_wallet_ids)
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF v_wallet.next_expiry_at <= p_at THEN
            PERFORM ledger_settle_due(v_wallet.id, p_at);
        END IF;
    END LOOP;
END $$;

-- The first entry under a key, if any (R109). A null id: there is none.
CREATE OR REPLACE FUNCTION ledger_first(p_wallet_id bigint, p_key text)
RETURNS credits_ledgerentry
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_entry credits_ledgerentry;
BEGIN
    SELECT * INTO v_entry FROM credits_ledgerentry
    WHERE wallet_id = p_wallet_id AND idempotency_key = p_key;
    RETURN v_entry;
END $$;

-- Grants that can be drawn from, by wallet in the order of R2: soonest expiry first, none
-- last; what plans gave expires with the plan at the latest (R15); ties to promotional,
-- then plan, then purchased credits; then the oldest.
DROP FUNCTION IF EXISTS ledger_spendable(bigint);  -- an earlier one, for one wallet
CREATE OR REPLACE FUNCTION ledger_spendable(VARIADIC p_wallet_ids bigint[])
RETURNS TABLE (grant_id bigint, free bigint, pinned bigint, wallet_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT lot.id, lot.remaining - lot.held, lot.held, lot.wallet_id
    FROM credits_wallet AS wallet
    JOIN credits_creditgrant AS lot ON lot.wallet_id = wallet.id
    WHERE wallet.id = ANY (p_wallet_ids) AND lot.is_open AND lot.remaining > lot.held
        AND lot.frozen_for = '{}'
    ORDER BY wallet.id,
        CASE WHEN lot.source IN ('PLAN', 'UPGRADE') AND NOT wallet.plan_is_over
            THEN least(lot.expires_at, wallet.plan_ends_at)
            ELSE lot.expires_at END NULLS LAST,
        CASE lot.source WHEN 'PROMO' THEN 0 WHEN 'ADJUSTMENT' THEN 0
            WHEN 'PLAN' THEN 1 WHEN 'UPGRADE' THEN 1 ELSE 2 END,
        lot.effective_at, lot.id;
$$;

-- Notes in a wallet which grant's turn it is, and returns it. Whatever moves more than
-- the credits of that grant forgets it again.
CREATE OR REPLACE FUNCTION ledger_find_turn(p_wallet_id bigint) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE credits_wallet
    SET next_grant_id = (SELECT grant_id FROM ledger_spendable(p_wallet_id) LIMIT 1)
    WHERE id = p_wallet_id
    RETURNING next_grant_id;
$$;
