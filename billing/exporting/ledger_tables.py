"""What moved in the ledger, for export: entries, and the measured lines of jobs."""

from __future__ import annotations

from billing.exporting.tables import (
    ACCOUNT,
    SqlTable,
    instant,
    number,
    text,
    where_wanted,
)

_OF_ACCOUNT = """
    JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
    JOIN accounts_account AS account ON account.id = wallet.account_id
"""
_IN_SCOPE = where_wanted("entry.occurred_at")
_WHOSE = (
    *ACCOUNT,
    text("Unit", "wallet.unit"),
    number("Number", "entry.seq"),
)
_WHAT = (
    text("Job or order", "entry.reference"),
    text("Member", "entry.member"),
    text("Actor", "entry.actor"),
    text("Reason", "entry.reason"),
)
_WHEN = (
    instant("Occurred at", "entry.occurred_at"),
    instant("Recorded at", "entry.created_at"),
)

LEDGER = SqlTable(
    fields=(
        number("Entry", "entry.id"),
        *_WHOSE,
        text("Kind", "entry.kind"),
        number("Credits", "entry.credits"),
        number("Held", "entry.held"),
        number("Frozen", "entry.frozen"),
        number("Owed", "entry.debt"),
        number("Balance after", "entry.balance_after"),
        number("Reverses entry", "entry.reverses_id"),
        *_WHAT,
        text("Idempotency key", "entry.idempotency_key"),
        *_WHEN,
    ),
    source=f"FROM credits_ledgerentry AS entry {_OF_ACCOUNT} {_IN_SCOPE}",
    order="entry.id",
)

# What was given back stands under the member whose job it was, as in sql/usage.sql.
_USED = """
    CROSS JOIN LATERAL (
        SELECT line.feature, line.quantity, line.rate_version, line.credits,
            entry.member, line.position
        FROM credits_usageline AS line
        WHERE entry.kind IN ('SPEND', 'CAPTURE') AND line.entry_id = entry.id
        UNION ALL
        SELECT 'given-back', 0, NULL, -entry.credits, job.member, 0
        FROM credits_ledgerentry AS job
        WHERE entry.kind = 'REVERSE' AND job.id = entry.reverses_id
    ) AS used
"""
USAGE = SqlTable(
    fields=(
        number("Entry", "entry.id"),
        *_WHOSE,
        text("Feature", "used.feature"),
        number("Quantity", "used.quantity"),
        number("Rate version", "used.rate_version"),
        number("Credits", "used.credits"),
        text("Job", "entry.reference"),
        text("Member", "used.member"),
        *_WHEN,
    ),
    source=f"FROM credits_ledgerentry AS entry {_OF_ACCOUNT} {_USED} {_IN_SCOPE}",
    order="entry.id, used.position",
)
