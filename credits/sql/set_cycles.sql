-- Tells wallets which month of their plan has begun: a place of the arrays for each.
-- What began before the month that a wallet knows is no news.
CREATE OR REPLACE FUNCTION ledger_set_cycles(
    p_wallet_ids bigint[], p_starts_at timestamptz[], p_ends_at timestamptz[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    -- Lock order everywhere: wallets by ascending id.
    PERFORM id FROM credits_wallet WHERE id = ANY (p_wallet_ids)
    ORDER BY id FOR NO KEY UPDATE;
    UPDATE credits_wallet AS wallet
    SET cycle_starts_at = month.starts_at, cycle_ends_at = month.ends_at
    FROM unnest(p_wallet_ids, p_starts_at, p_ends_at)
        AS month (wallet_id, starts_at, ends_at)
    WHERE wallet.id = month.wallet_id
        AND (wallet.cycle_starts_at IS NULL OR wallet.cycle_starts_at < month.starts_at);
END $$;
