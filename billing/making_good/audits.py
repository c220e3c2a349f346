"""What making good adds to `verify_ledger`: that it and the ledger say the same."""

from __future__ import annotations

from credits.audits import register

register(
    "I5 each make-good moved what it says",
    """
    WITH moved AS (
        SELECT split_part(entry.idempotency_key, ':', 2)::bigint AS make_good_id,
            coalesce(entry.reverses_id,
                split_part(entry.idempotency_key, ':', 3)::bigint) AS entry_id,
            CASE entry.kind WHEN 'REVERSE'
                THEN split_part(entry.idempotency_key, ':', 4) ELSE '' END AS feature,
            wallet.account_id, sum(abs(entry.credits)) AS credits
        FROM credits_ledgerentry AS entry
        JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
        WHERE entry.idempotency_key ~ '^make-good:[0-9]+:[0-9]+:'
            AND entry.kind IN ('REVERSE', 'REVOKE')
        GROUP BY 1, 2, 3, 4
    )
    SELECT format('make-good %s moved %s of entry %s %s; its entries say %s',
        make_good_id, coalesce(debit.given_credits, 0), entry_id, feature,
        coalesce(moved.credits, 0))
    FROM billing_makegooddebit AS debit
    FULL JOIN moved USING (make_good_id, entry_id, feature, account_id)
    WHERE coalesce(debit.given_credits, 0) <> coalesce(moved.credits, 0)
    ORDER BY make_good_id, entry_id
    """,
)
register(
    "I5 nothing is made good beyond what was used",
    """
    SELECT format('make-good %s gives %s of entry %s, which used %s of %s',
        debit.make_good_id, debit.credits, debit.entry_id, coalesce(used.credits, 0),
        debit.feature)
    FROM billing_makegooddebit AS debit
    JOIN billing_makegood AS make_good ON make_good.id = debit.make_good_id
    LEFT JOIN LATERAL (
        SELECT sum(line.credits) AS credits FROM credits_usageline AS line
        WHERE line.entry_id = debit.entry_id AND line.feature = debit.feature
    ) AS used ON true
    WHERE make_good.undoes_id IS NULL
        AND debit.credits > coalesce(used.credits, 0)
    UNION ALL
    SELECT format('entry %s took %s credits, and %s came back', taken.id,
        -taken.credits, back.credits)
    FROM credits_ledgerentry AS taken
    JOIN (
        SELECT reverses_id, sum(credits) AS credits FROM credits_ledgerentry
        WHERE kind = 'REVERSE' GROUP BY reverses_id
    ) AS back ON back.reverses_id = taken.id
    WHERE back.credits > -taken.credits
    """,
)
