"""What billing adds to `verify_ledger`: that credits and payments match."""

from __future__ import annotations

from credits.audits import register

register(
    "I5 each paid purchase has its one grant",
    """
    SELECT format('purchase %s is paid for %s credits, its grant has %s',
        purchase.public_id, purchase.blocks_paid * offer.credits,
        coalesce(found.granted, 0))
    FROM billing_purchase AS purchase
    JOIN billing_blockoffer AS offer ON offer.id = purchase.offer_id
    LEFT JOIN (
        credits_creditgrant AS found
        JOIN credits_wallet AS wallet ON wallet.id = found.wallet_id
    ) ON found.source_key = 'purchase:' || purchase.id
        AND found.source = 'PURCHASE' AND wallet.account_id = purchase.account_id
    WHERE purchase.state = 'PAID'
        AND found.granted IS DISTINCT FROM purchase.blocks_paid * offer.credits
    ORDER BY purchase.id
    """,
)
register(
    "I5 each purchased grant was paid for",
    """
    SELECT format('grant %s of wallet %s (%s) has no paid purchase',
        found.id, found.wallet_id, found.source_key)
    FROM credits_creditgrant AS found
    LEFT JOIN billing_purchase AS purchase
        ON found.source_key = 'purchase:' || purchase.id AND purchase.state = 'PAID'
    WHERE found.source = 'PURCHASE' AND purchase.id IS NULL
    ORDER BY found.id
    """,
)
register(
    "I5 each granted cycle has its one grant",
    """
    SELECT format('cycle %s grants %s credits, its grant has %s',
        cycle.id, cycle.credits, coalesce(found.granted, 0))
    FROM billing_cycle AS cycle
    LEFT JOIN credits_creditgrant AS found
        ON found.source_key = 'cycle:' || cycle.id AND found.source = 'PLAN'
    WHERE cycle.granted_at IS NOT NULL AND cycle.credits > 0
        AND found.granted IS DISTINCT FROM cycle.credits
    ORDER BY cycle.id
    """,
)
register(
    "I5 each grant of a month has its paid cycle",
    """
    SELECT format('grant %s of wallet %s (%s) has no cycle that was paid',
        found.id, found.wallet_id, found.source_key)
    FROM credits_creditgrant AS found
    JOIN credits_wallet AS wallet ON wallet.id = found.wallet_id
    WHERE found.source_key LIKE 'cycle:%' AND NOT EXISTS (
        SELECT 1
        FROM billing_cycle AS cycle
        JOIN billing_subscription AS subscription
            ON subscription.id = cycle.subscription_id
        LEFT JOIN billing_invoice AS invoice ON invoice.id = cycle.invoice_id
        WHERE found.source_key = 'cycle:' || cycle.id
            AND cycle.granted_at IS NOT NULL
            AND subscription.account_id = wallet.account_id
            AND (cycle.invoice_id IS NULL OR invoice.status = 'PAID')
    )
    ORDER BY found.id
    """,
)
register(
    "I10 blocks are granted only on plans that sell them",
    """
    SELECT format('grant %s of wallet %s is from %s, when no plan sold blocks',
        found.id, found.wallet_id, found.effective_at)
    FROM credits_creditgrant AS found
    JOIN credits_wallet AS wallet ON wallet.id = found.wallet_id
    WHERE found.source IN ('PURCHASE', 'RELOAD') AND NOT EXISTS (
        SELECT 1
        FROM billing_subscription AS subscription
        -- What it was on at that time: plans change, also within a cycle.
        JOIN LATERAL (
            SELECT plan_version_id FROM billing_planperiod AS period
            WHERE period.subscription_id = subscription.id
                AND period.starts_at <= found.effective_at
            ORDER BY period.starts_at DESC LIMIT 1
        ) AS period ON true
        JOIN billing_planversion AS version ON version.id = period.plan_version_id
        WHERE subscription.account_id = wallet.account_id AND version.sells_blocks
            AND (subscription.ended_at IS NULL
                OR found.effective_at < subscription.ended_at)
    )
    ORDER BY found.id
    """,
)
