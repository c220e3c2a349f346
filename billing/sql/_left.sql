-- What of a grant's cost is deferred while so many of its credits are left (R100): what
-- is gone is rounded down. billing/core/revenue.py says the same.
CREATE OR REPLACE FUNCTION billing_left(
    p_cost_cents bigint, p_granted bigint, p_left bigint
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_granted = 0 THEN 0
        ELSE p_cost_cents - p_cost_cents * (p_granted - p_left) / p_granted END;
$$;
