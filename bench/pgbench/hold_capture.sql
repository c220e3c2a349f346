\set wallet random(:first, :last)
\set key random(1, 1000000000000000)
SELECT hold_id FROM ledger_hold_one(:wallet::bigint, 'hld_' || :key, 2::bigint, 'hold:' || :key, '\x00'::bytea, 'standard', 1, NULL::bigint, '', '', 'bench', '1 day', '7 days', now()) \gset
SELECT * FROM ledger_capture_one(:hold_id::bigint, 1::bigint, false, true, 'capture:' || :key, '\x00'::bytea, 'bench', ARRAY['look'], ARRAY[1]::bigint[], ARRAY[1]::bigint[], now());
