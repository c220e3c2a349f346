\set wallet random(:first, :last)
\set key random(1, 1000000000000000)
SELECT count(*) FROM (
    SELECT array_agg(:wallet::bigint) AS wallets,
        array_agg('batch:' || :key::text || ':' || n) AS keys, array_agg(n) AS items,
        ARRAY[:batch::int] AS size
    FROM generate_series(1, :batch) AS n
) AS asked, LATERAL ledger_spend(wallets, array_fill(1::bigint, size), keys, array_fill('\x00'::bytea, size), array_fill(NULL::bigint, size), array_fill(''::text, size), array_fill(''::text, size), array_fill('bench'::text, size), items, array_fill(0, size), array_fill('look'::text, size), array_fill(1::bigint, size), array_fill(1, size), array_fill(1::bigint, size), now());
