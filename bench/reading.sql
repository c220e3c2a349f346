-- A year of {wallets} accounts, the last of them as busy as thousands of the others.
-- Entries lie in the order of time, as they came, so those of one wallet lie far apart.
-- Each month has a grant, jobs (of twenty: two held, one of them not charged, one given
-- back in part) and the expiry of what is left.
SET session_replication_role = replica;  -- no triggers, no look-ups of foreign keys
SET synchronous_commit = off;
SET work_mem = '512MB';
SET maintenance_work_mem = '1GB';
SET max_parallel_maintenance_workers = 2;

INSERT INTO accounts_account (public_id, name, billing_email, country, time_zone, created_at)
SELECT 'acc_' || lpad(n::text, 20, '0'), 'Account ' || n, '', '', 'Europe/Berlin', now()
FROM generate_series(1, {wallets}) AS n;

CREATE TABLE bench_month AS
SELECT account.id AS wallet_id, month, CASE WHEN account.id = {wallets} THEN {busy_jobs}
        ELSE {jobs} END AS jobs,
    (account.id - 1) * 12 + month + 1 AS grant_id,
    now() + (month * 30 - 345) * interval '1 day' AS starts_at,
    now() + (month * 30 - 315) * interval '1 day' AS ends_at
FROM accounts_account AS account, generate_series(0, 11) AS month;

CREATE UNLOGGED TABLE bench_entry AS
SELECT row_number() OVER (ORDER BY at, wallet_id, slot) AS id, wallet_id, grant_id,
    month * (jobs + 2) + slot + 1 AS seq, kind, held, at,
    CASE WHEN kind = 'EXPIRE' THEN -rest ELSE credits END AS credits,
    CASE WHEN kind = 'EXPIRE' THEN 0 ELSE rest END AS balance_after
FROM (
    SELECT *, sum(credits) OVER (PARTITION BY grant_id ORDER BY slot) AS rest
    FROM (
        SELECT *, CASE kind
                WHEN 'GRANT' THEN 6 * jobs + 100
                WHEN 'SPEND' THEN -1 - (slot * 7 + wallet_id) % 5
                WHEN 'CAPTURE' THEN -5
                WHEN 'REVERSE' THEN 1
                ELSE 0
            END AS credits,
            CASE kind WHEN 'HOLD' THEN 5 WHEN 'RELEASE' THEN -5 WHEN 'CAPTURE' THEN -5
                ELSE 0 END AS held
        FROM (
            SELECT *, CASE
                    WHEN slot = 0 THEN 'GRANT'
                    WHEN slot > jobs THEN 'EXPIRE'
                    WHEN (slot + wallet_id) % 20 IN (7, 15) AND slot < jobs THEN 'HOLD'
                    WHEN slot = 1 THEN 'SPEND'
                    WHEN (slot + wallet_id) % 20 = 8 THEN 'RELEASE'
                    WHEN (slot + wallet_id) % 20 = 13 THEN 'REVERSE'
                    WHEN (slot + wallet_id) % 20 = 16 THEN 'CAPTURE'
                    ELSE 'SPEND'
                END AS kind,
                CASE
                    WHEN slot = 0 THEN starts_at
                    WHEN slot > jobs THEN ends_at
                    ELSE starts_at + (least(ends_at, now()) - starts_at)
                        * ((slot - 1 + (wallet_id * 7919 % 1000) / 1000.0) / jobs)
                END AS at
            FROM bench_month, generate_series(0, jobs + 1) AS slot
            WHERE month < 11 OR slot <= jobs
        ) AS timed
    ) AS priced
) AS summed;

DROP INDEX entry_one_per_number, entry_one_per_key;

INSERT INTO credits_ledgerentry (
    id, wallet_id, seq, kind, credits, held, balance_after, hold_id, reverses_id,
    idempotency_key, request_hash, member, reference, actor, reason, occurred_at,
    created_at
)
SELECT id, wallet_id, seq, kind, credits, held, balance_after,
    CASE WHEN kind = 'HOLD' THEN id WHEN kind IN ('RELEASE', 'CAPTURE') THEN before END,
    CASE WHEN kind = 'REVERSE' THEN before END,
    'bench:' || id, sha256(int8send(id)),
    CASE WHEN kind IN ('GRANT', 'EXPIRE') THEN '' ELSE 'member' || CASE
        WHEN wallet_id = {wallets} THEN id % 13 * (id % 7) % 12 ELSE id % 3
        END || '@example.com' END,
    'render-' || id, 'bench', '', at, at
FROM (
    SELECT *, lag(id) OVER (PARTITION BY wallet_id ORDER BY seq) AS before
    FROM bench_entry
) AS entry
ORDER BY id;

INSERT INTO credits_grantdraw (
    entry_id, grant_id, wallet_id, position, credits, held, remaining_after
)
SELECT id, grant_id, wallet_id, 0, credits, held, balance_after
FROM bench_entry ORDER BY id;

INSERT INTO credits_usageline (
    entry_id, position, wallet_id, feature, quantity, rate_version, credits
)
SELECT id, 0, wallet_id,
    (ARRAY['avatar-iv', 'avatar-iii', 'translation', 'speech', 'image', 'look',
        'b-roll', 'veo-3'])[1 + id % 11 * (id % 5) % 8],
    1 + id % 60000, 1, -credits
FROM bench_entry WHERE kind IN ('SPEND', 'CAPTURE') ORDER BY id;

INSERT INTO credits_hold (
    id, public_id, wallet_id, state, credits, captured, rate_plan, rate_version,
    reference, member, placed_at, expires_at, extendable_until, closed_at
)
SELECT hold.id, 'hld_' || lpad(hold.id::text, 20, '0'), hold.wallet_id,
    ending.kind || 'D', 5, -ending.credits, 'standard', 1, placed.reference,
    placed.member, hold.at, hold.at + interval '1 day', hold.at + interval '7 days',
    ending.at
FROM bench_entry AS hold
JOIN bench_entry AS ending
    ON ending.wallet_id = hold.wallet_id AND ending.seq = hold.seq + 1
JOIN credits_ledgerentry AS placed ON placed.id = hold.id
WHERE hold.kind = 'HOLD';

INSERT INTO credits_creditgrant (
    id, wallet_id, source, source_key, granted, remaining, held, cost_basis_cents,
    effective_at, expires_at, is_open, frozen_for, created_at
)
SELECT month.grant_id, month.wallet_id, 'PLAN', 'bench:' || month.grant_id,
    6 * jobs + 100, coalesce(rest.balance_after, 0), 0, 0, starts_at, ends_at,
    rest.balance_after IS NOT NULL, '{}', starts_at
FROM bench_month AS month
LEFT JOIN bench_entry AS rest ON rest.wallet_id = month.wallet_id AND month.month = 11
    AND rest.seq = 11 * (jobs + 2) + jobs + 1
ORDER BY month.grant_id;

INSERT INTO credits_wallet (
    id, account_id, unit, balance, held, frozen, debt, seq, next_expiry_at, rate_plan,
    spending_block, way_forward, cycle_starts_at, cycle_ends_at, created_at
)
SELECT lot.wallet_id, lot.wallet_id, 'CREDITS', lot.remaining, 0, 0, 0,
    12 * jobs + 23, lot.expires_at, 'standard', '', '', starts_at, ends_at, now()
FROM credits_creditgrant AS lot
JOIN bench_month AS month ON month.grant_id = lot.id
WHERE lot.is_open;

CREATE UNIQUE INDEX entry_one_per_number ON credits_ledgerentry (wallet_id, seq);
CREATE UNIQUE INDEX entry_one_per_key
    ON credits_ledgerentry (wallet_id, idempotency_key);
DROP TABLE bench_entry, bench_month;
SELECT setval('credits_ledgerentry_id_seq', max(id)) FROM credits_ledgerentry;
SELECT setval('credits_creditgrant_id_seq', max(id)) FROM credits_creditgrant;
SELECT setval('credits_hold_id_seq', max(id)) FROM credits_hold;
SELECT setval('credits_wallet_id_seq', max(id)) FROM credits_wallet;
