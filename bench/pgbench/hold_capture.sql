\set wallet random(:first, :last)
\set key random(1, 1000000000000000)
SELECT hold_id FROM ledger_hold(ARRAY[:wallet]::bigint[], ARRAY['hld_' || :key], ARRAY[2]::bigint[], ARRAY['hold:' || :key], ARRAY['\x00'::bytea], ARRAY['standard'], ARRAY[1], ARRAY[NULL]::bigint[], ARRAY[''], ARRAY[''], ARRAY['bench'], '1 day', '7 days', now()) \gset
SELECT * FROM ledger_capture(ARRAY[:hold_id]::bigint[], ARRAY[1]::bigint[], ARRAY[false], ARRAY[true], ARRAY['capture:' || :key], ARRAY['\x00'::bytea], ARRAY['bench'], ARRAY[1], ARRAY['look'], ARRAY[1]::bigint[], ARRAY[1]::bigint[], now());
