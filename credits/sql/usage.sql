-- What entries used, added up by day of a time zone (R16), feature and member.
--
-- Most wallets are read as they are. A busy one also has its days added up, in rows
-- that cover its entries up to a number: its mark. Numbers have no gaps, so the days up
-- to the mark and the entries after it are always all there is, however late a job was
-- reported (R20), and whether or when anybody adds up. Weeks, from Monday on, are the
-- sums of such days; they serve while their number is that of the days.
DROP FUNCTION IF EXISTS  -- earlier ones, which knew no weeks
    usage_places(bigint, text, timestamptz, date),
    usage_in_places(
        bigint, text, timestamptz, date, date, bigint, bigint, bigint, bigint
    ),
    usage_in_brief(bigint, text, timestamptz, date, date, text, text);

CREATE OR REPLACE FUNCTION usage_monday(p_day date) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT date_trunc('week', p_day::timestamp)::date $$;

-- Two stand where a feature stands: `given-back`, under the member whose job it was,
-- and `not-charged`, whose quantity counts jobs that ended without a charge.
CREATE OR REPLACE FUNCTION usage_in_entries(
    p_wallet_id bigint, p_zone text, p_after bigint, p_up_to bigint
) RETURNS TABLE (
    occurred_at timestamptz, day date, feature varchar, member varchar,
    quantity bigint, credits bigint, rate_version integer, seq bigint
)
LANGUAGE sql STABLE AS $$
    SELECT entry.occurred_at, (entry.occurred_at AT TIME ZONE p_zone)::date,
        used.feature, used.member, used.quantity, used.credits, used.rate_version,
        entry.seq
    FROM credits_ledgerentry AS entry
    CROSS JOIN LATERAL (
        SELECT line.feature, entry.member, line.quantity, line.credits,
            line.rate_version
        FROM credits_usageline AS line
        WHERE entry.kind IN ('SPEND', 'CAPTURE') AND line.entry_id = entry.id
        UNION ALL
        SELECT 'given-back', job.member, 0, -entry.credits, 0
        FROM credits_ledgerentry AS job
        WHERE entry.kind = 'REVERSE' AND job.id = entry.reverses_id
        UNION ALL
        SELECT 'not-charged', hold.member, 1, 0, 0
        FROM credits_hold AS hold
        WHERE entry.kind = 'RELEASE' AND hold.id = entry.hold_id AND hold.captured = 0
    ) AS used
    WHERE entry.wallet_id = p_wallet_id AND entry.seq > p_after
        AND entry.seq <= p_up_to;
$$;

-- Where usage from an instant on is to be looked for: the days up to a mark, and the
-- entries after it. `p_first_day` is the first whole day; of the day on which a span
-- begins in the middle, the entries are read, which have numbers up to edge_up_to.
-- What is told by week takes the weeks that begin from first_week on and before
-- week_after, Mondays both; else there are none between the two.
CREATE OR REPLACE FUNCTION usage_places(
    p_wallet_id bigint, p_zone text, p_starts_at timestamptz, p_first_day date,
    p_last_day date, p_by_week boolean, OUT mark_id bigint, OUT mark_seq bigint,
    OUT edge_after bigint, OUT edge_up_to bigint, OUT first_week date,
    OUT week_after date
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_has_weeks boolean;
BEGIN
    SELECT mark.id, mark.seq, mark.weeks_seq = mark.seq
    INTO mark_id, mark_seq, v_has_weeks
    FROM credits_usagemark AS mark
    WHERE mark.wallet_id = p_wallet_id AND mark.zone = p_zone;
    SELECT min(first_seq) - 1, max(last_seq) INTO edge_after, edge_up_to
    FROM credits_usageday AS sums
    WHERE sums.mark_id = usage_places.mark_id AND day < p_first_day
        AND day = (p_starts_at AT TIME ZONE p_zone)::date;
    mark_seq := coalesce(mark_seq, 0);
    first_week := p_first_day;
    week_after := p_first_day;
    IF p_by_week AND v_has_weeks THEN
        first_week := usage_monday(p_first_day + 6);
        week_after := greatest(first_week, usage_monday(p_last_day + 1));
    END IF;
END $$;

-- All usage from an instant to the end of a day, partly added up. The day of what is
-- of a week is its Monday.
CREATE OR REPLACE FUNCTION usage_in_places(
    p_wallet_id bigint, p_zone text, p_starts_at timestamptz, p_first_day date,
    p_last_day date, p_mark_id bigint, p_mark_seq bigint, p_edge_after bigint,
    p_edge_up_to bigint, p_first_week date, p_week_after date
) RETURNS TABLE (
    day date, feature varchar, member varchar, quantity bigint, credits bigint,
    rate_version integer
)
LANGUAGE sql STABLE AS $$
    SELECT day, feature, member, quantity, credits, rate_version
    FROM credits_usageday
    WHERE mark_id = p_mark_id AND day >= p_first_day
        AND day < least(p_first_week, p_last_day + 1)
    UNION ALL
    SELECT week, feature, member, quantity, credits, rate_version
    FROM credits_usageweek
    WHERE mark_id = p_mark_id AND week >= p_first_week AND week < p_week_after
    UNION ALL
    SELECT day, feature, member, quantity, credits, rate_version
    FROM credits_usageday
    WHERE mark_id = p_mark_id AND day BETWEEN p_week_after AND p_last_day
    UNION ALL
    SELECT day, feature, member, quantity, credits, rate_version
    FROM usage_in_entries(p_wallet_id, p_zone, p_edge_after, p_edge_up_to)
    WHERE occurred_at >= p_starts_at AND day < p_first_day AND day <= p_last_day
    UNION ALL
    SELECT day, feature, member, quantity, credits, rate_version
    FROM usage_in_entries(p_wallet_id, p_zone, p_mark_seq, 9223372036854775807)
    WHERE occurred_at >= p_starts_at AND day <= p_last_day;
$$;

-- Usage of a span by day, feature and member. What is asked for may be one feature, one
-- member ('-': none named), or all ('').
-- One snapshot for all of it: a function that is STABLE sees what its caller sees.
CREATE OR REPLACE FUNCTION usage_by_day(
    p_wallet_id bigint, p_zone text, p_starts_at timestamptz, p_first_day date,
    p_last_day date, p_feature text, p_member text
) RETURNS TABLE (
    day date, feature varchar, member varchar, quantity bigint, credits bigint,
    rate_version integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    v record;
BEGIN
    v := usage_places(
        p_wallet_id, p_zone, p_starts_at, p_first_day, p_last_day, false
    );
    RETURN QUERY
    SELECT day, feature, member, sum(quantity)::bigint, sum(credits)::bigint,
        max(rate_version)
    FROM usage_in_places(
        p_wallet_id, p_zone, p_starts_at, p_first_day, p_last_day, v.mark_id,
        v.mark_seq, v.edge_after, v.edge_up_to, v.first_week, v.week_after
    )
    WHERE p_feature IN ('', feature)
        AND (p_member IN ('', member) OR p_member = '-' AND member = '')
    GROUP BY day, feature, member;
END $$;

-- The same, added up twice: what is asked for by day and feature, without members; and
-- everything by feature and member, without days. Who tells it by week gets days whose
-- week is not added up, or not in the span as a whole, and Mondays for all the others.
CREATE OR REPLACE FUNCTION usage_in_brief(
    p_wallet_id bigint, p_zone text, p_starts_at timestamptz, p_first_day date,
    p_last_day date, p_feature text, p_member text, p_by_week boolean DEFAULT false
) RETURNS TABLE (
    day date, feature varchar, member varchar, quantity bigint, credits bigint,
    rate_version integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    v record;
BEGIN
    v := usage_places(
        p_wallet_id, p_zone, p_starts_at, p_first_day, p_last_day, p_by_week
    );
    RETURN QUERY
    SELECT day, feature, member, sum(quantity)::bigint, sum(credits)::bigint,
        max(rate_version)
    FROM (
        SELECT *, p_feature IN ('', feature)
            AND (p_member IN ('', member) OR p_member = '-' AND member = '')
            AS is_asked_for
        FROM usage_in_places(
            p_wallet_id, p_zone, p_starts_at, p_first_day, p_last_day, v.mark_id,
            v.mark_seq, v.edge_after, v.edge_up_to, v.first_week, v.week_after
        )
    ) AS used
    GROUP BY GROUPING SETS ((day, feature, is_asked_for), (feature, member))
    HAVING is_asked_for IS NOT FALSE;
END $$;

-- The credits used since an instant: for the pace of a forecast, which looks at no day.
CREATE OR REPLACE FUNCTION usage_since(
    p_wallet_id bigint, p_starts_at timestamptz, p_first_day date
) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v record;
BEGIN
    v := usage_places(
        p_wallet_id, 'UTC', p_starts_at, p_first_day, p_first_day, false
    );
    RETURN coalesce((
        SELECT sum(credits) FROM credits_usageday
        WHERE mark_id = v.mark_id AND day >= p_first_day
    ), 0) - coalesce((
        SELECT sum(credits) FROM credits_ledgerentry
        WHERE wallet_id = p_wallet_id AND seq > v.edge_after AND seq <= v.edge_up_to
            AND kind IN ('SPEND', 'CAPTURE', 'REVERSE') AND occurred_at >= p_starts_at
            AND (occurred_at AT TIME ZONE 'UTC')::date < p_first_day
    ), 0) - coalesce((
        SELECT sum(credits) FROM credits_ledgerentry
        WHERE wallet_id = p_wallet_id AND seq > v.mark_seq
            AND kind IN ('SPEND', 'CAPTURE', 'REVERSE') AND occurred_at >= p_starts_at
    ), 0);
END $$;

-- Adds what was used since to the days of a wallet, and those to its weeks: up to
-- p_limit entries, of which it returns the number. A mark that another worker holds is
-- passed over.
CREATE OR REPLACE FUNCTION usage_add_up(
    p_wallet_id bigint, p_zone text, p_limit bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v_mark credits_usagemark;
    v_up_to bigint;
    v_weeks date[];
BEGIN
    INSERT INTO credits_usagemark (wallet_id, zone, seq)
    VALUES (p_wallet_id, p_zone, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO v_mark FROM credits_usagemark
    WHERE wallet_id = p_wallet_id AND zone = p_zone
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT least(seq, v_mark.seq + p_limit) INTO STRICT v_up_to
    FROM credits_wallet WHERE id = p_wallet_id;
    WITH added AS (
        INSERT INTO credits_usageday AS known (
            mark_id, day, feature, member, quantity, credits, rate_version, first_seq,
            last_seq
        )
        SELECT v_mark.id, day, feature, member, sum(quantity), sum(credits),
            max(rate_version), min(seq), max(seq)
        FROM usage_in_entries(p_wallet_id, p_zone, v_mark.seq, v_up_to)
        GROUP BY day, feature, member
        ON CONFLICT (mark_id, day, feature, member) DO UPDATE
        SET quantity = known.quantity + excluded.quantity,
            credits = known.credits + excluded.credits,
            rate_version = greatest(known.rate_version, excluded.rate_version),
            first_seq = least(known.first_seq, excluded.first_seq),
            last_seq = greatest(known.last_seq, excluded.last_seq)
        RETURNING day
    )
    SELECT array_agg(DISTINCT usage_monday(day)) INTO v_weeks FROM added;
    IF v_mark.weeks_seq <> v_mark.seq THEN  -- its days were added up without weeks
        SELECT array_agg(DISTINCT usage_monday(day)) INTO v_weeks
        FROM credits_usageday WHERE mark_id = v_mark.id;
    END IF;
    INSERT INTO credits_usageweek (
        mark_id, week, feature, member, quantity, credits, rate_version
    )
    SELECT v_mark.id, week, feature, member, sum(quantity), sum(credits),
        max(rate_version)
    FROM unnest(v_weeks) AS changed (week)
    JOIN credits_usageday ON mark_id = v_mark.id AND day BETWEEN week AND week + 6
    GROUP BY week, feature, member
    ON CONFLICT (mark_id, week, feature, member) DO UPDATE
    SET quantity = excluded.quantity, credits = excluded.credits,
        rate_version = excluded.rate_version;
    UPDATE credits_usagemark SET seq = v_up_to, weeks_seq = v_up_to
    WHERE id = v_mark.id;
    RETURN v_up_to - v_mark.seq;
END $$;
