-- The same rows in the same tables, by one connection that does nothing else and knows
-- every number beforehand: no claims, no locks of wallets, no joins, and nobody looks
-- whether a month was granted already.
INSERT INTO credits_creditgrant (
    id, wallet_id, source, source_key, granted, remaining, held, cost_basis_cents,
    effective_at, expires_at, is_open, frozen_for, created_at
)
SELECT {last_grant} + n, {first} - 1 + n, 'PLAN',
    'cycle:' || ({first} - 2 + n) * {months} + {month} + 1, 600, 600, 0, 2400, '{at}',
    '{expires_at}', true, '{}', '{at}'
FROM generate_series(1, {size}) AS n;

INSERT INTO credits_ledgerentry (
    id, wallet_id, seq, kind, credits, held, frozen, debt, balance_after,
    idempotency_key, request_hash, member, reference, actor, reason, occurred_at,
    created_at
)
SELECT {last_entry} + n, {first} - 1 + n, {month} + 1, 'GRANT', 600, 0, 0, 0,
    600 * ({month} + 1), 'cycle:' || ({first} - 2 + n) * {months} + {month} + 1,
    ledger_grant_hash('PLAN', 600, 2400), '', '', 'plan', '', '{at}', '{at}'
FROM generate_series(1, {size}) AS n;

INSERT INTO credits_grantdraw (
    entry_id, grant_id, wallet_id, position, credits, held, frozen, remaining_after
)
SELECT {last_entry} + n, {last_grant} + n, {first} - 1 + n, 0, 600, 0, 0, 600
FROM generate_series(1, {size}) AS n;

UPDATE credits_wallet
SET balance = balance + 600, seq = seq + 1, cycle_starts_at = '{at}',
    cycle_ends_at = '{ends_at}'
WHERE id BETWEEN {first} AND {first} - 1 + {size};

UPDATE billing_cycle SET granted_at = '{at}'
WHERE granted_at IS NULL AND starts_at = '{at}';

SELECT setval(pg_get_serial_sequence('credits_creditgrant', 'id'), {last_grant} + {size});
SELECT setval(pg_get_serial_sequence('credits_ledgerentry', 'id'), {last_entry} + {size});
