"""The movements of an account's credits, as rows of its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing.console.rows import Family, Row
from credits import statements
from credits.models import Hold, LedgerEntry, Wallet, WalletUnit

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Account
    from billing.console.rows import Position
    from credits.statements import StatementRow

# Ledgers come after all tables at one instant: what they tell follows from those.
RANK = 100
# References have no index (docs/adr/0021): a job is looked for among so many.
RECENT_ENTRIES = 200_000


def wallets_of(account: Account) -> list[Wallet]:
    """Return an account's wallets, always in the same order."""
    return sorted(statements.wallets_of(account.pk), key=lambda one: one.unit)


def moved(
    wallet: Wallet,
    *,
    index: int,
    job: str,
    before: Position | None,
    limit: int,
    at: datetime,
) -> list[Row]:
    """Return up to `limit` movements of the account's `index`th wallet, newest first.

    `job` leaves those of one job: by its hold's id, or its reference.
    """
    wallet = statements.up_to_date(wallet, at=at)
    entries = LedgerEntry.objects.filter(wallet=wallet).order_by("-seq")
    if before and index < len(before.seqs):
        entries = entries.filter(seq__lt=before.seqs[index])
    if job:
        entries = _of_job(entries, wallet, job)
    rows = statements.rows_of(list(entries.values_list("pk", flat=True)[:limit]))
    # Numbers, not times, say what came first: no row may overtake a later number.
    latest = before.at if before else None
    found = []
    for row in rows:
        latest = min(latest or row.occurred_at, row.occurred_at)
        found.append(_row(row, wallet, (latest, RANK + index, row.seq)))
    return found


def _of_job(
    entries: QuerySet[LedgerEntry], wallet: Wallet, job: str
) -> QuerySet[LedgerEntry]:
    hold = Hold.objects.filter(wallet=wallet, public_id=job).first()
    if hold:
        return entries.filter(hold=hold)
    return entries.filter(seq__gt=wallet.seq - RECENT_ENTRIES, reference=job)


def _row(row: StatementRow, wallet: Wallet, place: tuple[datetime, int, int]) -> Row:
    number = _("#%(seq)s") % {"seq": row.seq}
    unit = "" if wallet.unit == WalletUnit.CREDITS else wallet.get_unit_display()
    return Row(
        place=place,
        at=row.occurred_at,
        family=Family.LEDGER,
        what=row.description,
        detail=" · ".join(filter(None, (number, unit, row.reference))),
        who=row.who,
        reason=row.reason,
        # Holds and freezes move nothing; a job that cost nothing says so (R8).
        credits=row.credits if row.credits or row.lines else None,
    )
