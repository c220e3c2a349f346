-- Fourteen months of {wallets} accounts, to the end of February 2026: a plan's month each
-- month and blocks each fourth. Ten jobs use most of a grant; what is left expires.
SET session_replication_role = replica;  -- no triggers, no look-ups of foreign keys
SET synchronous_commit = off;
SET work_mem = '256MB';

INSERT INTO accounts_account (
    id, public_id, name, billing_email, country, time_zone, created_at
)
SELECT n, 'acc_' || lpad(n::text, 20, '0'), 'Account ' || n, '', '', 'UTC',
    timestamptz '2025-01-01Z'
FROM generate_series(1, {wallets}) AS n;

INSERT INTO credits_wallet (
    id, account_id, unit, balance, held, frozen, debt, seq, rate_plan, spending_block,
    way_forward, created_at
)
SELECT id, id, 'CREDITS', 0, 0, 0, 0, 1, 'standard', '', '', created_at
FROM accounts_account;

INSERT INTO billing_subscription (
    id, account_id, plan_version_id, interval, status, anchor_at
)
SELECT id, id, (SELECT min(id) FROM billing_planversion), 'MONTH', 'ACTIVE', created_at
FROM accounts_account;

INSERT INTO billing_planperiod (subscription_id, plan_version_id, starts_at)
SELECT id, plan_version_id, anchor_at FROM billing_subscription;

CREATE UNLOGGED TABLE bench_lot AS
SELECT row_number() OVER (ORDER BY starts_at, source, wallet_id) AS id, *
FROM (
    SELECT wallet.id AS wallet_id, source,
        day + month * interval '1 month' AS starts_at,
        day + (month + 1) * interval '1 month' AS ends_at
    FROM credits_wallet AS wallet
    CROSS JOIN LATERAL (
        SELECT timestamptz '2025-01-01Z' + wallet.id % 28 * interval '1 day' AS day
    ) AS first, generate_series(0, 13) AS month, unnest(ARRAY['PLAN', 'PURCHASE']) AS source
    WHERE source = 'PLAN' OR month % 4 = wallet.id % 4
) AS lot;

CREATE UNLOGGED TABLE bench_draw AS
SELECT row_number() OVER (ORDER BY at, grant_id, slot) AS id, *,
    sum(credits) OVER (PARTITION BY grant_id ORDER BY slot) AS remaining
FROM (
    SELECT lot.id AS grant_id, wallet_id, slot,
        CASE slot WHEN 0 THEN 'GRANT' WHEN 11 THEN 'EXPIRE' ELSE 'SPEND' END AS kind,
        CASE slot WHEN 0 THEN 100 WHEN 11 THEN -20 ELSE -8 END AS credits,
        starts_at + (ends_at - starts_at) * (slot / 11.0) AS at
    FROM bench_lot AS lot, generate_series(0, 11) AS slot
) AS drawn
WHERE at < timestamptz '2026-03-01Z';

INSERT INTO billing_cycle (
    id, subscription_id, plan_version_id, month, starts_at, ends_at, expires_at, credits,
    price_cents, paid_at, granted_at
)
SELECT lot.id, wallet_id, plan_version_id, 0, starts_at, ends_at, ends_at, 100, 999,
    starts_at, starts_at
FROM bench_lot AS lot
JOIN billing_subscription AS subscription ON subscription.id = wallet_id
WHERE source = 'PLAN';

INSERT INTO credits_creditgrant (
    id, wallet_id, source, source_key, granted, remaining, held, cost_basis_cents,
    effective_at, expires_at, is_open, frozen_for, created_at
)
SELECT lot.id, lot.wallet_id, source,
    CASE source WHEN 'PLAN' THEN 'cycle:' ELSE 'purchase:' END || lot.id, 100,
    drawn.remaining, 0, 999 + lot.id % 7, starts_at, ends_at, drawn.remaining > 0, '{}',
    starts_at
FROM bench_lot AS lot
JOIN (
    SELECT grant_id, min(remaining) AS remaining FROM bench_draw GROUP BY 1
) AS drawn ON drawn.grant_id = lot.id
ORDER BY lot.id;

INSERT INTO credits_ledgerentry (
    id, wallet_id, seq, kind, credits, balance_after, idempotency_key, request_hash,
    member, reference, actor, reason, occurred_at, created_at
)
SELECT id, wallet_id, row_number() OVER (PARTITION BY wallet_id ORDER BY id), kind,
    credits, 0, 'bench:' || id, sha256(int8send(id)), 'member@example.com',
    'render-' || id, 'bench', '', at, at
FROM bench_draw ORDER BY id;

INSERT INTO credits_grantdraw (
    entry_id, grant_id, wallet_id, position, credits, remaining_after
)
SELECT id, grant_id, wallet_id, 0, credits, remaining FROM bench_draw ORDER BY id;

DROP TABLE bench_draw, bench_lot;
