-- The provable statement of a period (docs/statement-proof.md): its lines in the order
-- of time, each with the balance after it and a seal that covers all lines so far.

-- One link of the chain: the seal so far, then the facts of the next line.
CREATE OR REPLACE FUNCTION statement_link(p_so_far text, p_facts text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN encode(sha256(convert_to(p_so_far || p_facts, 'UTF8')), 'hex');
END $$;

CREATE OR REPLACE AGGREGATE statement_seal(text) (
    SFUNC = statement_link, STYPE = text, INITCOND = ''
);

-- The lines of a period [p_starts_at, p_ends_at) as far as entry p_last_seq, which
-- names one state of the ledger for good: an opening line, the movements by time and
-- number, a closing line. The first says what there was, the last what there is; so in
-- each column of changes the first and the movements add up to the last.
--
-- A grant is named by the number of the entry that brought it. Who did what and why is
-- not sealed: a person's data can be erased and the seal still holds (R104).
CREATE OR REPLACE FUNCTION statement_lines(
    p_wallet_id bigint, p_starts_at timestamptz, p_ends_at timestamptz,
    p_last_seq bigint
) RETURNS TABLE (
    place bigint, entry_id bigint, number bigint, happened_at timestamptz,
    happened text, kind varchar, credits bigint, held bigint, frozen bigint,
    debt bigint, balance bigint, used text, drawn text, reference text, seal text
)
LANGUAGE sql STABLE AS $$
    WITH entry AS (
        SELECT * FROM credits_ledgerentry
        WHERE wallet_id = p_wallet_id AND seq <= p_last_seq
            AND occurred_at < p_ends_at
    ), draw AS MATERIALIZED (
        SELECT draw.entry_id, draw.grant_id, draw.position, draw.credits, draw.held,
            draw.frozen, entry.seq, entry.occurred_at
        FROM entry JOIN credits_grantdraw AS draw ON draw.entry_id = entry.id
    ), brought AS (
        SELECT grant_id, min(seq) AS number FROM draw GROUP BY grant_id
    ), drawing AS (
        SELECT entry_id, string_agg(
            format('#%s %s %s %s', brought.number, credits, held, frozen), '; '
            ORDER BY position, brought.number) AS drawn
        FROM draw JOIN brought ON brought.grant_id = draw.grant_id
        WHERE occurred_at >= p_starts_at
        GROUP BY entry_id
    ), paying AS (
        SELECT entry.id AS entry_id, min(source_key) AS paid_by
        FROM entry JOIN credits_grantdraw AS draw ON draw.entry_id = entry.id
        JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
        WHERE kind = 'GRANT' AND occurred_at >= p_starts_at
        GROUP BY entry.id
    ), using_ AS (
        SELECT line.entry_id, string_agg(
            format('%s %s r%s %s', feature, quantity, rate_version, line.credits), '; '
            ORDER BY position) AS used
        FROM entry JOIN credits_usageline AS line ON line.entry_id = entry.id
        WHERE entry.occurred_at >= p_starts_at
        GROUP BY line.entry_id
    ), wallet AS (
        SELECT account.public_id || ' ' || wallet.unit AS title
        FROM credits_wallet AS wallet
        JOIN accounts_account AS account ON account.id = wallet.account_id
        WHERE wallet.id = p_wallet_id
    ), movement AS (
        SELECT 0 AS part, NULL::bigint AS entry_id, 0::bigint AS number,
            p_starts_at AS happened_at, 'OPENING' AS kind,
            coalesce(sum(credits), 0)::bigint AS credits,
            coalesce(sum(held), 0)::bigint AS held,
            coalesce(sum(frozen), 0)::bigint AS frozen,
            coalesce(sum(debt), 0)::bigint AS debt,
            '' AS used, '' AS drawn, (SELECT title FROM wallet) AS reference
        FROM entry WHERE occurred_at < p_starts_at
        UNION ALL
        SELECT 1, entry.id, seq, occurred_at, kind, credits, held, frozen, debt,
            coalesce(used, ''), coalesce(drawn, ''), coalesce(paid_by, reference)
        FROM entry
        LEFT JOIN drawing ON drawing.entry_id = entry.id
        LEFT JOIN paying ON paying.entry_id = entry.id
        LEFT JOIN using_ ON using_.entry_id = entry.id
        WHERE occurred_at >= p_starts_at
    ), line AS (
        SELECT *, (sum(credits) OVER (ORDER BY part, happened_at, number))::bigint
            AS balance
        FROM movement
        UNION ALL
        SELECT 2, NULL, p_last_seq, p_ends_at, 'CLOSING', sum(credits)::bigint,
            sum(held)::bigint, sum(frozen)::bigint, sum(debt)::bigint, '', '',
            (SELECT title FROM wallet), sum(credits)::bigint
        FROM movement
    ), told AS (
        SELECT *, to_char(happened_at AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS happened
        FROM line
    )
    SELECT row_number() OVER in_order - 1, entry_id, number, happened_at, happened,
        kind, credits, held, frozen, debt, balance, used, drawn, reference,
        statement_seal(concat_ws('|', number, happened, kind, credits, held, frozen,
            debt, balance, used, drawn, reference)) OVER in_order
    FROM told
    WINDOW in_order AS (ORDER BY part, happened_at, number)
    ORDER BY 1;
$$;
