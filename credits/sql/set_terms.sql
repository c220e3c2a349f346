-- Records what the account's plan says about its wallet. Moves no credits.
CREATE OR REPLACE FUNCTION ledger_set_terms(
    p_wallet_id bigint, p_rate_plan text, p_spending_block text, p_way_forward text,
    p_cycle_starts_at timestamptz, p_cycle_ends_at timestamptz
) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE credits_wallet
    SET rate_plan = p_rate_plan, spending_block = p_spending_block,
        way_forward = p_way_forward, cycle_starts_at = p_cycle_starts_at,
        cycle_ends_at = p_cycle_ends_at
    WHERE id = p_wallet_id
    RETURNING true;
$$;
