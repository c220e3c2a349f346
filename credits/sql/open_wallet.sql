-- Opens an account's wallet of one unit, or returns the one that exists.
CREATE OR REPLACE FUNCTION ledger_open_wallet(
    p_account_id bigint, p_unit text, p_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO credits_wallet (
        account_id, unit, balance, held, frozen, debt, seq,
        rate_plan, spending_block, way_forward, created_at
    )
    VALUES (p_account_id, p_unit, 0, 0, 0, 0, 0, 'standard', 'NO_PAID_PLAN', '', p_at)
    ON CONFLICT (account_id, unit) DO NOTHING
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id INTO STRICT v_id FROM credits_wallet
        WHERE account_id = p_account_id AND unit = p_unit;
    END IF;
    RETURN v_id;
END $$;
