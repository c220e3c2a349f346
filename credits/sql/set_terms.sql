-- Records what the account's plan says about its wallet. Moves no credits: what ends
-- with the plan ends when its time has come and somebody looks (ledger_settle_due).
CREATE OR REPLACE FUNCTION ledger_set_terms(
    p_wallet_id bigint, p_rate_plan text, p_spending_block text, p_way_forward text,
    p_cycle_starts_at timestamptz, p_cycle_ends_at timestamptz,
    p_plan_ends_at timestamptz, p_spends_until timestamptz, p_free_videos smallint,
    p_free_video_ms integer
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE credits_wallet
    SET rate_plan = p_rate_plan, spending_block = p_spending_block,
        way_forward = p_way_forward, cycle_starts_at = p_cycle_starts_at,
        cycle_ends_at = p_cycle_ends_at, plan_ends_at = p_plan_ends_at,
        -- Said again, an end does not happen again.
        plan_is_over = plan_is_over AND plan_ends_at IS NOT DISTINCT FROM p_plan_ends_at,
        spends_until = p_spends_until, free_videos = p_free_videos,
        free_video_ms = p_free_video_ms, next_grant_id = NULL
    WHERE id = p_wallet_id;
    UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
    WHERE id = p_wallet_id;
    RETURN FOUND;
END $$;
