-- The same books each time: wallets with three grants each, as the ledger's own
-- functions would have left them. Never analyzed: goals must hold on a fresh database.
ALTER TABLE credits_wallet SET (autovacuum_enabled = off);
ALTER TABLE credits_creditgrant SET (autovacuum_enabled = off);
ALTER TABLE credits_ledgerentry SET (autovacuum_enabled = off);
ALTER TABLE credits_grantdraw SET (autovacuum_enabled = off);
ALTER TABLE credits_usageline SET (autovacuum_enabled = off);
ALTER TABLE credits_hold SET (autovacuum_enabled = off);

INSERT INTO accounts_account (public_id, name, billing_email, country, time_zone, created_at)
SELECT 'acc_' || lpad(n::text, 20, '0'), 'Account ' || n, '', '', 'UTC', now()
FROM generate_series(1, {wallets}) AS n;

INSERT INTO credits_wallet (
    account_id, unit, balance, held, frozen, debt, seq, next_expiry_at, next_grant_id,
    rate_plan, spending_block, way_forward, created_at
)
-- Whose turn it is, an earlier job found out: the first of the three grants below.
SELECT id, 'CREDITS', 3000000000, 0, 0, 0, 3, now() + interval '30 days',
    3 * row_number() OVER (ORDER BY id) - 2, 'standard', '', '', now()
FROM accounts_account ORDER BY id;

INSERT INTO credits_creditgrant (
    wallet_id, source, source_key, granted, remaining, held, cost_basis_cents,
    effective_at, expires_at, is_open, frozen_for, created_at
)
SELECT wallet.id, 'PLAN', wallet.id || ':' || n, 1000000000, 1000000000, 0, 0, now(),
    now() + n * interval '30 days', true, '{}', now()
FROM credits_wallet AS wallet, generate_series(1, 3) AS n
ORDER BY wallet.id, n;

INSERT INTO credits_ledgerentry (
    wallet_id, seq, kind, credits, balance_after, idempotency_key, request_hash, member,
    reference, actor, reason, occurred_at, created_at
)
SELECT wallet_id, split_part(source_key, ':', 2)::bigint, 'GRANT', granted,
    granted * split_part(source_key, ':', 2)::bigint, 'grant:' || source_key, '', '',
    '', 'bench', '', now(), now()
FROM credits_creditgrant ORDER BY id;

INSERT INTO credits_grantdraw (
    entry_id, grant_id, wallet_id, position, credits, remaining_after
)
SELECT entry.id, lot.id, lot.wallet_id, 0, lot.granted, lot.granted
FROM credits_creditgrant AS lot
JOIN credits_ledgerentry AS entry
    ON entry.wallet_id = lot.wallet_id
    AND entry.idempotency_key = 'grant:' || lot.source_key
ORDER BY lot.id;

-- The floor: what a debit would cost without grants, holds, keys and terms.
CREATE TABLE floor_wallet (
    id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 70);
CREATE TABLE floor_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, wallet_id bigint NOT NULL,
    credits bigint NOT NULL, balance_after bigint NOT NULL, at timestamptz NOT NULL
);
INSERT INTO floor_wallet SELECT n, 1000000000 FROM generate_series(1, {wallets}) AS n;
GRANT SELECT, INSERT, UPDATE ON floor_wallet, floor_entry TO purser;
