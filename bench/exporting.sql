-- Two days of jobs: {few} on the first, {many} on the second, as a busy product leaves them.
SET synchronous_commit = off;
INSERT INTO credits_ledgerentry (
    wallet_id, seq, kind, credits, balance_after, idempotency_key, request_hash, member,
    reference, actor, reason, occurred_at, created_at
)
SELECT n % {wallets} + 1, 4 + n / {wallets}, 'SPEND', -1 - n % 5, 1000000,
    'bench:' || n, sha256(int8send(n)),
    CASE n % 10 WHEN 0 THEN '=member' ELSE 'member' END || n % 97 || '@example.com',
    'render-' || n, 'API key studio', '', at, at
FROM generate_series(0, {few} + {many} - 1) AS n,
    LATERAL (SELECT CASE WHEN n < {few}
        THEN timestamptz '2026-03-01T00:00Z' + n * interval '1 day' / {few}
        ELSE timestamptz '2026-03-02T00:00Z'
            + (n - {few}) * interval '1 day' / {many} END AS at) AS day;
RESET ALL;
VACUUM (ANALYZE) credits_ledgerentry;
