-- The instant at which the calendar month of p_at is over, in UTC.
CREATE OR REPLACE FUNCTION ledger_month_end(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT (date_trunc('month', p_at AT TIME ZONE 'UTC') + interval '1 month')
        AT TIME ZONE 'UTC';
$$;

-- The free videos of the calendar month of p_at (R106): of how many how many are used,
-- how long one may be, and when the counter starts again. No row: there are none, as on
-- every paid plan until it ends. What was used before that end does not count (R67).
CREATE OR REPLACE FUNCTION ledger_free_videos(p_wallet_id bigint, p_at timestamptz)
RETURNS TABLE (
    quota smallint, used bigint, longest_ms integer, starts_again_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wallet.free_videos, (
            SELECT count(*) FROM credits_freevideo AS video
            WHERE video.wallet_id = wallet.id
                AND video.claimed_at >= greatest(month.starts_at, wallet.plan_ends_at)
                AND video.claimed_at < month.ends_at
        ), wallet.free_video_ms, month.ends_at
    FROM credits_wallet AS wallet, (
        SELECT date_trunc('month', p_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC',
            ledger_month_end(p_at)
    ) AS month (starts_at, ends_at)
    WHERE wallet.id = p_wallet_id AND wallet.free_videos IS NOT NULL
        AND (wallet.plan_ends_at IS NULL OR wallet.plan_ends_at <= p_at);
$$;

-- Takes one of them. outcome: POSTED, REPLAYED, CONFLICT, NOT_FREE, TOO_LONG, USED_UP,
-- NO_WALLET. A replay tells which one its first call took, of how many, and when.
CREATE OR REPLACE FUNCTION ledger_claim_free_video(
    p_wallet_id bigint, p_milliseconds integer, p_reference text, p_key text,
    p_actor text, p_at timestamptz
) RETURNS TABLE (
    outcome text, number smallint, quota smallint, longest_ms integer,
    claimed_at timestamptz, starts_again_at timestamptz, way_forward text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_wallet credits_wallet;
    v_video credits_freevideo;
    v_month record;
BEGIN
    v_wallet := ledger_lock(p_wallet_id, p_at);
    way_forward := v_wallet.way_forward;
    IF v_wallet.id IS NULL THEN
        outcome := 'NO_WALLET'; RETURN NEXT; RETURN;
    END IF;

    SELECT * INTO v_video FROM credits_freevideo
    WHERE wallet_id = p_wallet_id AND idempotency_key = p_key;
    IF FOUND THEN
        outcome := CASE
            WHEN (v_video.milliseconds, v_video.reference)
                = (p_milliseconds, p_reference::varchar) THEN 'REPLAYED'
            ELSE 'CONFLICT' END;
        number := v_video.number; quota := v_video.quota;
        claimed_at := v_video.claimed_at;
        starts_again_at := ledger_month_end(claimed_at);
        RETURN NEXT; RETURN;
    END IF;

    SELECT * INTO v_month FROM ledger_free_videos(p_wallet_id, p_at);
    quota := v_month.quota; longest_ms := v_month.longest_ms;
    starts_again_at := v_month.starts_again_at;
    outcome := CASE WHEN quota IS NULL THEN 'NOT_FREE'
        WHEN p_milliseconds > longest_ms THEN 'TOO_LONG'
        WHEN v_month.used >= quota THEN 'USED_UP'
        ELSE 'POSTED' END;
    IF outcome = 'POSTED' THEN
        number := v_month.used + 1; claimed_at := p_at;
        INSERT INTO credits_freevideo (
            wallet_id, number, quota, milliseconds, reference, actor, idempotency_key,
            claimed_at
        )
        VALUES (
            p_wallet_id, number, quota, p_milliseconds, p_reference, p_actor, p_key, p_at
        );
    END IF;
    RETURN NEXT;
END $$;
