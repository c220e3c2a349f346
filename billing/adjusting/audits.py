"""What adjusting adds to `verify_ledger`: that it and the ledger say the same."""

from __future__ import annotations

from credits.audits import register

register(
    "I5 each adjustment that was made has its entry",
    """
    SELECT format('adjustment %s (%s of %s) has entry %s of %s credits',
        adjustment.public_id, adjustment.kind, adjustment.credits, entry.id,
        entry.credits)
    FROM billing_adjustment AS adjustment
    LEFT JOIN (
        credits_ledgerentry AS entry
        JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
    ) ON entry.id = adjustment.entry_id
        AND entry.idempotency_key = 'adjustment:' || adjustment.id
        AND wallet.account_id = adjustment.account_id
        AND wallet.unit = adjustment.unit
        AND CASE adjustment.kind
            WHEN 'ADD' THEN entry.kind = 'GRANT' AND entry.credits = adjustment.credits
            WHEN 'REMOVE' THEN entry.kind = 'REVOKE'
                AND entry.credits = -adjustment.credits
            WHEN 'MOVE_EXPIRY' THEN entry.kind = 'MOVE'
                AND -entry.credits BETWEEN 1 AND adjustment.credits
            WHEN 'WRITE_OFF_DEBT' THEN entry.kind = 'CLEAR_DEBT'
                AND entry.debt = -adjustment.credits
            WHEN 'REVERSAL' THEN entry.kind IN ('REVOKE', 'REINSTATE')
                AND abs(entry.credits) BETWEEN 1 AND adjustment.credits
        END
    WHERE adjustment.state = 'MADE' AND adjustment.kind <> 'RESTORE_LEGACY'
        AND entry.id IS NULL
    ORDER BY adjustment.id
    """,
)
register(
    "I5 each adjusted credit has its adjustment",
    """
    SELECT format('entry %s of wallet %s (%s) is of no adjustment that was made',
        entry.id, entry.wallet_id, entry.idempotency_key)
    FROM credits_ledgerentry AS entry
    WHERE entry.idempotency_key LIKE 'adjustment:%' AND NOT EXISTS (
        SELECT 1 FROM billing_adjustment AS adjustment
        WHERE adjustment.entry_id = entry.id AND adjustment.state = 'MADE'
    )
    UNION ALL
    SELECT format('grant %s of wallet %s (%s) was given by no adjustment', lot.id,
        lot.wallet_id, lot.source_key)
    FROM credits_creditgrant AS lot
    WHERE lot.source = 'ADJUSTMENT' AND lot.source_key !~ '^(adjustment|move):[0-9]+$'
    """,
)
