"""Money that came and went, and what staff and others did, for export.

A purchase belongs to the period in which it was paid; one that was not, to that in
which it was opened. Bills, refunds and disputes belong to where they began.
"""

from __future__ import annotations

from billing.exporting.tables import (
    ACCOUNT,
    SqlTable,
    instant,
    money,
    number,
    text,
    where_wanted,
)

_BACK = """
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(refund.amount_cents), 0)::bigint AS cents
        FROM billing_refund AS refund
        WHERE refund.purchase_id = purchase.id AND refund.state = 'DONE'
    ) AS back
"""
_PAID_OR_OPENED = "coalesce(purchase.paid_at, purchase.opened_at)"

PURCHASES = SqlTable(
    fields=(
        text("Purchase", "purchase.public_id"),
        *ACCOUNT,
        text("Buyer", "buyer.email"),
        text("Origin", "purchase.origin"),
        text("State", "purchase.state"),
        number("Blocks asked", "purchase.blocks_asked"),
        number("Blocks paid", "purchase.blocks_paid"),
        money("Paid", "purchase.paid_cents"),
        money("Refunded", "back.cents"),
        text("Currency", "purchase.currency"),
        text("Payment at Stripe", "purchase.stripe_payment_intent_id"),
        instant("Opened at", "purchase.opened_at"),
        instant("Paid at", "purchase.paid_at"),
        instant("Credits expire at", "purchase.credits_expire_at"),
    ),
    source=f"""FROM billing_purchase AS purchase
    JOIN accounts_account AS account ON account.id = purchase.account_id
    JOIN accounts_user AS buyer ON buyer.id = purchase.buyer_id
    {_BACK}
    {where_wanted(_PAID_OR_OPENED)}""",
    order="purchase.id",
)

INVOICES = SqlTable(
    fields=(
        text("Bill", "invoice.number"),
        text("Bill at Stripe", "invoice.stripe_invoice_id"),
        *ACCOUNT,
        text("Status", "invoice.status"),
        text("Reason", "invoice.reason"),
        money("Net", "invoice.net_cents"),
        money("Tax", "invoice.tax_cents"),
        money("Total", "invoice.total_cents"),
        money("Due", "invoice.due_cents"),
        text("Currency", "invoice.currency"),
        text("Payment at Stripe", "invoice.stripe_payment_intent_id"),
        instant("Created at", "invoice.created_at"),
        instant("Paid at", "invoice.paid_at"),
    ),
    source=f"""FROM billing_invoice AS invoice
    JOIN accounts_account AS account ON account.id = invoice.account_id
    {where_wanted("invoice.created_at")}""",
    order="invoice.id",
)

# What a refund or a dispute is of: one of three.
_OF_PAYMENT = """
    LEFT JOIN billing_purchase AS purchase ON purchase.id = {0}.purchase_id
    LEFT JOIN billing_invoice AS invoice ON invoice.id = {0}.invoice_id
    LEFT JOIN billing_debtpayment AS debt ON debt.id = {0}.debt_payment_id
"""
_PAYMENT = (
    text(
        "Of",
        "coalesce(purchase.public_id, nullif(invoice.number, ''),"
        " invoice.stripe_invoice_id, debt.public_id)",
    ),
    text(
        "Payment at Stripe",
        "coalesce(purchase.stripe_payment_intent_id,"
        " invoice.stripe_payment_intent_id, debt.stripe_payment_intent_id)",
    ),
)

REFUNDS = SqlTable(
    fields=(
        text("Refund", "refund.public_id"),
        *ACCOUNT,
        *_PAYMENT,
        text("Refund at Stripe", "refund.stripe_refund_id"),
        text("State", "refund.state"),
        money("Amount", "refund.amount_cents"),
        text("Currency", "refund.currency"),
        number("Credits removed", "refund.credits_removed"),
        number("Credits that had expired", "refund.credits_expired"),
        number("Credits of months to come", "refund.credits_to_come"),
        number("Credits owed", "refund.debt_credits"),
        money("Price of what is owed", "refund.debt_cents"),
        text("Asked for by", "asker.email"),
        text("Reason", "refund.reason"),
        instant("Asked for at", "refund.asked_at"),
        instant("Settled at", "refund.settled_at"),
    ),
    source=f"""FROM billing_refund AS refund
    JOIN accounts_account AS account ON account.id = refund.account_id
    LEFT JOIN accounts_user AS asker ON asker.id = refund.requested_by_id
    {_OF_PAYMENT.format("refund")}
    {where_wanted("refund.asked_at")}""",
    order="refund.id",
)

DISPUTES = SqlTable(
    fields=(
        text("Dispute at Stripe", "dispute.stripe_dispute_id"),
        *ACCOUNT,
        *_PAYMENT,
        text("Status", "dispute.status"),
        text("Effect", "dispute.effect"),
        text("Reason", "dispute.reason"),
        money("Amount", "dispute.amount_cents"),
        text("Currency", "dispute.currency"),
        number("Credits frozen", "dispute.frozen_credits"),
        number("Credits removed", "dispute.removed_credits"),
        number("Credits owed", "dispute.debt_credits"),
        money("Price of what is owed", "dispute.debt_cents"),
        instant("Opened at", "dispute.opened_at"),
        instant("Answer due at", "dispute.evidence_due_at"),
        instant("Closed at", "dispute.closed_at"),
    ),
    source=f"""FROM billing_dispute AS dispute
    JOIN accounts_account AS account ON account.id = dispute.account_id
    {_OF_PAYMENT.format("dispute")}
    {where_wanted("dispute.opened_at")}""",
    order="dispute.id",
)

AUDIT = SqlTable(
    fields=(
        number("Event", "event.id"),
        instant("Occurred at", "event.occurred_at"),
        text("Actor", "event.actor"),
        text("Action", "event.action"),
        *ACCOUNT,
        text("Target", "event.target"),
        text("Before", "event.before::text"),
        text("After", "event.after::text"),
        text("Reason", "event.reason"),
        text("Request", "event.request_id"),
        text("IP address", "host(event.ip_address)"),
    ),
    source=f"""FROM accounts_auditevent AS event
    LEFT JOIN accounts_account AS account ON account.id = event.account_id
    {where_wanted("event.occurred_at")}""",
    order="event.id",
)
