\set wallet random(:first, :last)
\set key random(1, 1000000000000000)
SELECT count(*) FROM (
    SELECT array_agg(:wallet::bigint) AS wallets, array_agg(1::bigint) AS ones,
        array_agg('batch:' || :key::text || ':' || n) AS keys,
        array_agg('\x00'::bytea) AS hashes, array_agg(NULL::bigint) AS nobody,
        array_agg(''::text) AS blanks, array_agg('bench'::text) AS actors,
        array_agg(n) AS items, array_agg(0) AS positions,
        array_agg('look'::text) AS features, array_agg(1) AS versions
    FROM generate_series(1, :batch) AS n
) AS command, LATERAL ledger_spend(wallets, ones, keys, hashes, nobody, blanks, blanks, actors, items, positions, features, ones, versions, ones, now());
