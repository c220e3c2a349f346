\set wallet random(:first, :last)
\set key random(1, 1000000000000000)
SELECT * FROM ledger_spend(ARRAY[:wallet]::bigint[], ARRAY[1]::bigint[], ARRAY['debit:' || :key], ARRAY['\x00'::bytea], ARRAY[NULL]::bigint[], ARRAY[''], ARRAY[''], ARRAY['bench'], ARRAY[1], ARRAY[0], ARRAY['look'], ARRAY[1]::bigint[], ARRAY[1], ARRAY[1]::bigint[], now());
