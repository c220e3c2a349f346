\set wallet random(:first, :last)
\set key random(1, 1000000000000000)
SELECT * FROM ledger_spend_one(:wallet::bigint, 1::bigint, 'debit:' || :key, '\x00'::bytea, NULL::bigint, '', '', 'bench', ARRAY['look'], ARRAY[1]::bigint[], ARRAY[1], ARRAY[1]::bigint[], now());
