-- How many credits somebody may move alone, all at once (R91): within their own limits,
-- or those of the settings, and less what they moved alone in the last 24 hours. What
-- the portal's present settings allow may be less (p_at_once, p_a_day).
CREATE OR REPLACE FUNCTION billing_staff_room(
    p_user_id bigint, p_at timestamptz, p_at_once bigint DEFAULT NULL,
    p_a_day bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT greatest(0, least(
        coalesce(own.per_adjustment, least(p_at_once, known.at_once)),
        coalesce(own.per_day, least(p_a_day, known.a_day)) - (
            SELECT coalesce(sum(credits), 0) FROM billing_adjustment
            WHERE proposed_by_id = p_user_id AND approvals_needed = 0
                AND proposed_at > p_at - interval '24 hours'
                AND state NOT IN ('REJECTED', 'WITHDRAWN')
        ) - (
            SELECT coalesce(sum(credits), 0) FROM billing_makegood
            WHERE proposed_by_id = p_user_id AND approvals_needed = 0
                AND proposed_at > p_at - interval '24 hours'
                AND state NOT IN ('REJECTED', 'WITHDRAWN')
        )
    ))::bigint
    FROM billing_staff_limits() AS known
    LEFT JOIN accounts_stafflimit AS own ON own.user_id = p_user_id;
$$;
