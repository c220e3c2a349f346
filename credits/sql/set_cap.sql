-- Sets, changes or, with null credits, removes the cap on one member, or on each (a null
-- member). What was used in the window stays counted (R87). `before` is the former cap.
CREATE OR REPLACE FUNCTION ledger_set_cap(
    p_wallet_id bigint, p_member_id bigint, p_credits bigint, p_set_by_id bigint,
    p_at timestamptz
) RETURNS TABLE (outcome text, before bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_has_caps boolean;
BEGIN
    IF (ledger_lock(p_wallet_id, p_at)).id IS NULL THEN
        outcome := 'NO_WALLET'; RETURN NEXT; RETURN;
    END IF;
    SELECT credits INTO before FROM credits_membercap
    WHERE wallet_id = p_wallet_id AND member_id IS NOT DISTINCT FROM p_member_id;
    IF p_credits IS NULL THEN
        DELETE FROM credits_membercap
        WHERE wallet_id = p_wallet_id AND member_id IS NOT DISTINCT FROM p_member_id;
    ELSE
        INSERT INTO credits_membercap (
            wallet_id, member_id, credits, set_by_id, set_at
        )
        VALUES (p_wallet_id, p_member_id, p_credits, p_set_by_id, p_at)
        ON CONFLICT (wallet_id, member_id) DO UPDATE
        SET credits = excluded.credits, set_by_id = excluded.set_by_id,
            set_at = excluded.set_at;
    END IF;

    v_has_caps := EXISTS (
        SELECT 1 FROM credits_membercap WHERE wallet_id = p_wallet_id
    );
    UPDATE credits_wallet SET has_caps = v_has_caps WHERE id = p_wallet_id;
    IF NOT v_has_caps THEN
        -- Jobs no longer keep it up to date: later caps add up anew.
        DELETE FROM credits_memberusage WHERE wallet_id = p_wallet_id;
    END IF;
    outcome := 'SET';
    RETURN NEXT;
END $$;
