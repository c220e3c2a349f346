-- What members use of their caps now, by the steps that check them, and in which window.
-- An `ends_at` of null: the window lasts until the next cycle is known.
CREATE OR REPLACE FUNCTION ledger_member_usage(
    p_wallet_id bigint, p_member_ids bigint[], p_at timestamptz
) RETURNS TABLE (
    member_id bigint, used bigint, starts_at timestamptz, ends_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_wallet credits_wallet;
BEGIN
    v_wallet := ledger_lock(p_wallet_id, p_at);
    SELECT span.* INTO starts_at, ends_at FROM ledger_cap_window(v_wallet, p_at) AS span;
    FOREACH member_id IN ARRAY p_member_ids LOOP
        used := ledger_member_used(v_wallet, member_id, starts_at);
        RETURN NEXT;
    END LOOP;
END $$;
