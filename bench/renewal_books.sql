-- Accounts on annual plans: the first of their paid months is granted, as the ledger's
-- own functions would have left it, the others are to come. They form groups, whose
-- months begin at different hours, so that each group falls due alone.
SET session_replication_role = replica;  -- no triggers, no look-ups of foreign keys
SET synchronous_commit = off;

-- As the tables of the ledger, by seed.sql: never analyzed.
ALTER TABLE billing_cycle SET (autovacuum_enabled = off);

CREATE TABLE bench_account AS
SELECT account.id, version.id AS version_id, 600 AS credits,
    timestamptz '{anchor}' + hour * interval '1 hour' AS anchor_at
FROM (VALUES {groups}) AS grouped (hour, first, last)
CROSS JOIN generate_series(first, last) AS account (id)
CROSS JOIN billing_planversion AS version
JOIN billing_plan AS plan ON plan.id = version.plan_id AND plan.code = 'creator';

INSERT INTO accounts_account (
    id, public_id, name, billing_email, country, time_zone, created_at
)
SELECT id, 'acc_' || lpad(id::text, 20, '0'), 'Account ' || id, '', '', 'UTC', anchor_at
FROM bench_account;

INSERT INTO billing_subscription (
    id, account_id, plan_version_id, interval, status, anchor_at, paid_until
)
SELECT id, id, version_id, 'YEAR', 'ACTIVE', anchor_at, anchor_at + interval '1 year'
FROM bench_account;

INSERT INTO billing_cycle (
    id, subscription_id, plan_version_id, month, starts_at, ends_at, expires_at,
    credits, price_cents, paid_at, granted_at
)
SELECT (id - 1) * {months} + month + 1, id, version_id, month,
    anchor_at + month * interval '1 month',
    anchor_at + (month + 1) * interval '1 month', anchor_at + interval '1 year',
    credits, 2400, anchor_at, CASE WHEN month = 0 THEN anchor_at END
FROM bench_account, generate_series(0, {months} - 1) AS month;

INSERT INTO credits_wallet (
    id, account_id, unit, balance, held, frozen, debt, seq, next_expiry_at, rate_plan,
    spending_block, way_forward, cycle_starts_at, cycle_ends_at, created_at
)
SELECT id, id, 'CREDITS', credits, 0, 0, 0, 1, anchor_at + interval '1 year',
    'standard', '', '', anchor_at, anchor_at + interval '1 month', anchor_at
FROM bench_account;

INSERT INTO credits_creditgrant (
    id, wallet_id, source, source_key, granted, remaining, held, cost_basis_cents,
    effective_at, expires_at, is_open, frozen_for, created_at
)
SELECT id, id, 'PLAN', 'cycle:' || (id - 1) * {months} + 1, credits, credits, 0, 2400,
    anchor_at, anchor_at + interval '1 year', true, '{}', anchor_at
FROM bench_account;

INSERT INTO credits_ledgerentry (
    id, wallet_id, seq, kind, credits, balance_after, idempotency_key, request_hash,
    member, reference, actor, reason, occurred_at, created_at
)
SELECT id, id, 1, 'GRANT', credits, credits, 'cycle:' || (id - 1) * {months} + 1,
    ledger_grant_hash('PLAN', credits, 2400), '', '', 'plan', '', anchor_at, anchor_at
FROM bench_account;

INSERT INTO credits_grantdraw (
    entry_id, grant_id, wallet_id, position, credits, remaining_after
)
SELECT id, id, id, 0, credits, credits FROM bench_account;

SELECT setval(pg_get_serial_sequence(name, 'id'), {accounts})
FROM unnest(ARRAY['credits_creditgrant', 'credits_ledgerentry']) AS name;
RESET ALL;
