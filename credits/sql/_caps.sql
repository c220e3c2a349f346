-- Steps of the verbs that member caps concern (R87). As with those of _steps.sql, the
-- application may call none of them, and whoever does holds the wallet's lock.

-- The window that caps count in: the billing cycle, what follows it until the next one
-- is known, or, without a cycle, the calendar month in UTC. Half-open.
CREATE OR REPLACE FUNCTION ledger_cap_window(
    p_wallet credits_wallet, p_at timestamptz,
    OUT starts_at timestamptz, OUT ends_at timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_at >= p_wallet.cycle_ends_at THEN
        starts_at := p_wallet.cycle_ends_at;
    ELSIF p_at >= p_wallet.cycle_starts_at THEN
        starts_at := p_wallet.cycle_starts_at; ends_at := p_wallet.cycle_ends_at;
    ELSE
        starts_at := date_trunc('month', p_at, 'UTC');
        ends_at := date_add(starts_at, interval '1 month', 'UTC');
    END IF;
END $$;

-- What a member was charged since an instant, less what was given back of it: added up
-- from the entries. There is no index on time, for each spend would pay for it; numbers
-- follow time to within a day, so an older entry tells where to begin.
CREATE OR REPLACE FUNCTION ledger_add_up_usage(
    p_wallet_id bigint, p_member_id bigint, p_since timestamptz
) RETURNS bigint
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_begin bigint;
BEGIN
    SELECT seq INTO v_begin FROM credits_ledgerentry
    WHERE wallet_id = p_wallet_id AND kind IN ('SPEND', 'CAPTURE', 'REVERSE')
        AND occurred_at < p_since - interval '1 day'
    ORDER BY seq DESC LIMIT 1;
    RETURN coalesce((
        SELECT -sum(entry.credits) FROM credits_ledgerentry AS entry
        LEFT JOIN credits_ledgerentry AS charge ON charge.id = entry.reverses_id
        WHERE entry.wallet_id = p_wallet_id AND entry.seq > coalesce(v_begin, 0)
            AND entry.kind IN ('SPEND', 'CAPTURE', 'REVERSE')
            AND coalesce(charge.member_id, entry.member_id) = p_member_id
            -- What an earlier window took gives this one no room.
            AND coalesce(charge.occurred_at, entry.occurred_at) >= p_since
    ), 0);
END $$;

-- What a member uses of their caps: their charges in the window, and all that is on
-- hold for them, since whenever.
CREATE OR REPLACE FUNCTION ledger_member_used(
    p_wallet credits_wallet, p_member_id bigint, p_since timestamptz
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_charged bigint;
BEGIN
    SELECT credits INTO v_charged FROM credits_memberusage
    WHERE wallet_id = p_wallet.id AND member_id = p_member_id AND since = p_since;
    IF NOT FOUND THEN
        v_charged := ledger_add_up_usage(p_wallet.id, p_member_id, p_since);
        -- Without caps nobody would keep it up to date.
        IF p_wallet.has_caps THEN
            INSERT INTO credits_memberusage (wallet_id, member_id, since, credits)
            VALUES (p_wallet.id, p_member_id, p_since, v_charged)
            ON CONFLICT (wallet_id, member_id)
            DO UPDATE SET since = excluded.since, credits = excluded.credits;
        END IF;
    END IF;
    RETURN v_charged + coalesce((
        SELECT sum(credits - captured) FROM credits_hold
        WHERE wallet_id = p_wallet.id AND state = 'OPEN' AND member_id = p_member_id
    ), 0);
END $$;

-- Keeps up to date what a member was charged; less than 0 for what is given back, with
-- the time of the charge. A row of a later window is not concerned.
CREATE OR REPLACE FUNCTION ledger_count_usage(
    p_wallet_id bigint, p_member_id bigint, p_credits bigint, p_charged_at timestamptz
) RETURNS void
LANGUAGE sql AS $$
    UPDATE credits_memberusage SET credits = credits + p_credits
    WHERE wallet_id = p_wallet_id AND member_id = p_member_id AND since <= p_charged_at;
$$;

-- The tightest cap on a member (null: there is none) and what they use of it.
CREATE OR REPLACE FUNCTION ledger_member_cap(
    p_wallet credits_wallet, p_member_id bigint, p_at timestamptz,
    OUT cap bigint, OUT used bigint
)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT min(credits) INTO cap FROM credits_membercap
    WHERE wallet_id = p_wallet.id
        AND (member_id = p_member_id OR member_id IS NULL);
    IF cap IS NOT NULL THEN
        used := ledger_member_used(
            p_wallet, p_member_id, (ledger_cap_window(p_wallet, p_at)).starts_at
        );
    END IF;
END $$;
