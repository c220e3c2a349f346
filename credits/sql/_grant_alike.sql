-- What a key stands for. Dates are left out: a retry may be later than the first try.
CREATE OR REPLACE FUNCTION ledger_grant_hash(
    p_source text, p_credits bigint, p_cost_basis_cents bigint
) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(
        concat_ws('|', 'grant', p_source, p_credits, p_cost_basis_cents), 'UTF8'));
$$;

-- Writes at once what ledger_grant marks in p_alike: at most one grant a wallet, new,
-- in wallets that are locked, in which nothing is due, and that pay nothing back.
--
-- The planner may hash here: it joins lists that are as long as the batch.
CREATE OR REPLACE FUNCTION ledger_grant_alike(
    p_alike boolean[], p_wallet_ids bigint[], p_sources text[], p_source_keys text[],
    p_credits bigint[], p_cost_basis_cents bigint[], p_effective_at timestamptz[],
    p_expires_at timestamptz[], p_actors text[], p_reasons text[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, grant_id bigint, entry_id bigint, balance_after bigint
)
LANGUAGE sql SET enable_hashjoin = on SET enable_seqscan = off
AS $$
    WITH command AS MATERIALIZED (
        SELECT n::integer AS item, wallet_id, source, source_key, credits, cents,
            effective_at, expires_at, actor, reason
        FROM unnest(
            p_alike, p_wallet_ids, p_sources, p_source_keys, p_credits,
            p_cost_basis_cents, p_effective_at, p_expires_at, p_actors, p_reasons
        ) WITH ORDINALITY AS asked (is_alike, wallet_id, source, source_key, credits,
            cents, effective_at, expires_at, actor, reason, n)
        WHERE is_alike
    ), moved AS (
        UPDATE credits_wallet AS wallet
        SET balance = wallet.balance + command.credits, seq = wallet.seq + 1,
            next_expiry_at = least(wallet.next_expiry_at, command.expires_at),
            next_grant_id = NULL
        FROM command WHERE wallet.id = command.wallet_id
        RETURNING wallet.id, wallet.seq, wallet.balance
    ), lot AS (
        INSERT INTO credits_creditgrant (
            wallet_id, source, source_key, granted, remaining, held, frozen_for,
            cost_basis_cents, effective_at, expires_at, is_open, created_at
        )
        SELECT wallet_id, source, source_key, credits, credits, 0, '{}', cents,
            effective_at, expires_at, true, p_at
        FROM command
        RETURNING id, wallet_id, granted
    ), posted AS (
        INSERT INTO credits_ledgerentry (
            wallet_id, seq, kind, credits, held, frozen, debt, balance_after,
            idempotency_key, request_hash, member, reference, actor, reason,
            occurred_at, created_at
        )
        SELECT moved.id, moved.seq, 'GRANT', command.credits, 0, 0, 0, moved.balance,
            command.source_key,
            ledger_grant_hash(command.source, command.credits, command.cents),
            '', '', command.actor, command.reason, p_at, p_at
        FROM command JOIN moved ON moved.id = command.wallet_id
        RETURNING id, wallet_id, balance_after
    ), drawn AS (
        INSERT INTO credits_grantdraw (
            entry_id, grant_id, wallet_id, position, credits, held, frozen,
            remaining_after
        )
        SELECT posted.id, lot.id, lot.wallet_id, 0, lot.granted, 0, 0, lot.granted
        FROM lot JOIN posted ON posted.wallet_id = lot.wallet_id
    )
    SELECT command.item, 'POSTED', lot.id, posted.id, posted.balance_after
    FROM command
    JOIN lot ON lot.wallet_id = command.wallet_id
    JOIN posted ON posted.wallet_id = command.wallet_id;
$$;
