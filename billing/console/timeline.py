"""All that happened to an account, as one list: the newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.console.happened import TABLES
from billing.console.movements import RANK, moved, wallets_of
from billing.console.rows import Family, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from accounts.models import Account
    from billing.console.rows import Row

PAGE_SIZE = 40
_NO_SEQ = 2**62  # nothing of that ledger was shown so far


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and where the older ones begin."""

    rows: tuple[Row, ...]
    older: Position | None


def timeline(
    account: Account,
    *,
    at: datetime,
    family: Family | None = None,
    job: str = "",
    before: Position | None = None,
    limit: int = PAGE_SIZE,
) -> Page:
    """Return a page of what happened, of one family or of all.

    `job` leaves the movements of one job: by its hold's id, or its reference. Each
    table is asked once, for as many rows as a page has.
    """
    only = Family.LEDGER if job else family
    # One more than is shown tells whether there is another page.
    found = [*_from_tables(account, only, before, limit + 1)]
    wallets = wallets_of(account) if only in (None, Family.LEDGER) else []
    for index, wallet in enumerate(wallets):
        found += moved(
            wallet, index=index, job=job, before=before, limit=limit + 1, at=at
        )
    found.sort(key=lambda row: row.place, reverse=True)
    shown = found[:limit]
    older = _end(shown, before, len(wallets)) if len(found) > limit else None
    return Page(tuple(shown), older)


def _from_tables(
    account: Account, only: Family | None, before: Position | None, limit: int
) -> Iterator[Row]:
    for rank, table in enumerate(TABLES):
        if only in (None, table.family):
            yield from table.rows(account, rank, before=before, limit=limit)


def _end(shown: Sequence[Row], before: Position | None, wallets: int) -> Position:
    """Return where a page ends: each ledger at the lowest number that was shown."""
    lowest = {row.place[1] - RANK: row.place[2] for row in shown}
    unread = before.seqs if before else ()
    seqs = [
        lowest.get(index, unread[index] if index < len(unread) else _NO_SEQ)
        for index in range(wallets)
    ]
    return Position(*shown[-1].place, tuple(seqs))
