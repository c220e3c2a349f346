"""What billing adds to `verify_ledger`: that credits and payments match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import WebhookSubject
from config.clock import now
from credits.audits import MAX_FINDINGS, register

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        AND found.source = CASE purchase.origin
            WHEN 'RELOAD' THEN 'RELOAD' ELSE 'PURCHASE' END
        AND wallet.account_id = purchase.account_id
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
        ON found.source_key = 'purchase:' || purchase.id
        AND purchase.state IN ('PAID', 'REFUNDED')
    WHERE found.source IN ('PURCHASE', 'RELOAD') AND purchase.id IS NULL
        -- R95: what was given a later expiry was paid for before.
        AND found.source_key NOT LIKE 'move:%'
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
    "I5 each refund moved what it says",
    """
    SELECT format('refund %s (%s) took %s credits, left %s owing; entries say %s, %s',
        refund.public_id, refund.state, refund.credits_removed, refund.debt_credits,
        coalesce(found.removed, 0), coalesce(found.owed, 0))
    FROM billing_refund AS refund
    LEFT JOIN (
        SELECT split_part(idempotency_key, ':', 2) AS stripe_id,
            -sum(credits) FILTER (WHERE kind IN ('REVOKE', 'REINSTATE')) AS removed,
            sum(debt) FILTER (WHERE kind = 'DEBT') AS owed
        FROM credits_ledgerentry
        WHERE idempotency_key LIKE 'refund:%'
            AND kind IN ('REVOKE', 'REINSTATE', 'DEBT')
        GROUP BY 1
    ) AS found ON found.stripe_id = refund.stripe_refund_id
    WHERE coalesce(found.owed, 0) <> refund.debt_credits
        OR coalesce(found.removed, 0) <> CASE WHEN refund.state = 'FAILED' THEN 0
            ELSE refund.credits_removed END
    ORDER BY refund.id
    """,
)
register(
    "I5 each entry of a refund has its refund",
    """
    SELECT format('entry %s of wallet %s (%s) is of no refund of its account',
        entry.id, entry.wallet_id, entry.idempotency_key)
    FROM credits_ledgerentry AS entry
    JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
    LEFT JOIN billing_refund AS refund
        ON refund.stripe_refund_id = split_part(entry.idempotency_key, ':', 2)
        AND refund.account_id = wallet.account_id
    WHERE entry.idempotency_key LIKE 'refund:%' AND refund.id IS NULL
    ORDER BY entry.id
    """,
)
register(
    "I5 no payment is refunded beyond what was paid",
    """
    SELECT format('%s: %s cents of %s were refunded', payment.name, sum(amount_cents),
        payment.cents)
    FROM billing_refund AS refund
    JOIN (
        SELECT 'purchase ' || public_id AS name, id AS purchase_id,
            NULL::bigint AS invoice_id, NULL::bigint AS debt_payment_id,
            paid_cents AS cents
        FROM billing_purchase WHERE paid_cents IS NOT NULL
        UNION ALL
        SELECT 'invoice ' || stripe_invoice_id, NULL, id, NULL, due_cents
        FROM billing_invoice
        UNION ALL
        SELECT 'payment ' || public_id, NULL, NULL, id, cents FROM billing_debtpayment
    ) AS payment ON payment.purchase_id = refund.purchase_id
        OR payment.invoice_id = refund.invoice_id
        OR payment.debt_payment_id = refund.debt_payment_id
    WHERE refund.state IN ('PENDING', 'DONE')
    GROUP BY payment.name, payment.cents
    HAVING sum(amount_cents) > payment.cents
    ORDER BY payment.name
    """,
)
register(
    "I10 blocks are granted only on plans that sell them",
    """
    SELECT format('grant %s of wallet %s is from %s, when no plan sold blocks',
        found.id, found.wallet_id, found.effective_at)
    FROM credits_creditgrant AS found
    JOIN credits_wallet AS wallet ON wallet.id = found.wallet_id
    WHERE found.source IN ('PURCHASE', 'RELOAD')
        AND found.source_key NOT LIKE 'move:%' AND NOT EXISTS (
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


def _stuck_subjects() -> Iterable[str]:
    stuck = WebhookSubject.objects.stuck(at=now()).order_by("due_since")
    for subject in stuck[:MAX_FINDINGS]:
        yield (
            f"{subject.kind} {subject} waits since {subject.due_since:%Y-%m-%d %H:%M},"
            f" looked at {subject.attempts} times: {subject.last_error or 'no error'}"
        )


register("I6 nothing that Stripe told waits for more than 15 minutes", _stuck_subjects)
