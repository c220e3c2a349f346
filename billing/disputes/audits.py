"""What disputes add to `verify_ledger`: that credits and what banks decided match."""

from __future__ import annotations

from credits.audits import register

register(
    "I5 each dispute moved what it says",
    """
    SELECT format(
        'dispute %s (%s) took %s credits and left %s owing; entries say %s, %s',
        dispute.stripe_dispute_id, dispute.status, dispute.removed_credits,
        dispute.debt_credits, coalesce(found.removed, 0), coalesce(found.owed, 0))
    FROM billing_dispute AS dispute
    LEFT JOIN (
        SELECT split_part(idempotency_key, ':', 2) AS dispute_id,
            -sum(credits) FILTER (WHERE kind = 'REVOKE') AS removed,
            sum(debt) AS owed
        FROM credits_ledgerentry
        WHERE idempotency_key LIKE 'dispute:%'
            AND kind IN ('REVOKE', 'DEBT', 'CLEAR_DEBT')
        GROUP BY 1
    ) AS found ON found.dispute_id = dispute.id::text
    WHERE (dispute.removed_credits, dispute.debt_credits)
        <> (coalesce(found.removed, 0), coalesce(found.owed, 0))
    ORDER BY dispute.id
    """,
)
register(
    "I5 each entry of a dispute has its dispute",
    """
    SELECT format('entry %s of wallet %s (%s) is of no dispute of its account',
        entry.id, entry.wallet_id, entry.idempotency_key)
    FROM credits_ledgerentry AS entry
    JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
    LEFT JOIN billing_dispute AS dispute
        ON dispute.id::text = split_part(entry.idempotency_key, ':', 2)
        AND dispute.account_id = wallet.account_id
    WHERE entry.idempotency_key LIKE 'dispute:%' AND dispute.id IS NULL
    ORDER BY entry.id
    """,
)
register(
    "I5 what is disputed as a whole is not usable",
    """
    SELECT format('grant %s of wallet %s (%s) is usable, but dispute %s is open',
        lot.id, lot.wallet_id, lot.source_key, dispute.stripe_dispute_id)
    FROM billing_dispute AS dispute
    LEFT JOIN billing_purchase AS purchase ON purchase.id = dispute.purchase_id
    LEFT JOIN billing_invoice AS invoice ON invoice.id = dispute.invoice_id
    LEFT JOIN billing_cycle AS cycle ON cycle.invoice_id = invoice.id
    JOIN credits_creditgrant AS lot ON lot.source_key IN (
        'purchase:' || purchase.id, 'cycle:' || cycle.id)
    WHERE dispute.effect = 'FROZEN' AND lot.is_open AND lot.frozen_for = '{}'
        AND dispute.amount_cents >= coalesce(purchase.paid_cents, invoice.due_cents)
    ORDER BY lot.id
    """,
)
register(
    "I5 what is frozen for a bank's word is in doubt",
    """
    SELECT format('grant %s of wallet %s is frozen for %s, of which none is open',
        lot.id, lot.wallet_id, why)
    FROM credits_creditgrant AS lot
    JOIN credits_wallet AS wallet ON wallet.id = lot.wallet_id
    CROSS JOIN LATERAL unnest(lot.frozen_for) AS why
    WHERE lot.is_open AND (why = 'DISPUTE' AND NOT EXISTS (
            SELECT FROM billing_dispute AS dispute
            WHERE dispute.account_id = wallet.account_id
                AND (dispute.effect = 'FROZEN' OR dispute.next_check_at IS NOT NULL)
        ) OR why = 'FRAUD_WARNING' AND NOT EXISTS (
            SELECT FROM billing_fraudwarning AS warning
            WHERE warning.account_id = wallet.account_id AND warning.state = 'OPEN'
        ))
    ORDER BY lot.id
    """,
)
