"""Member caps: how many credits a member may use in a window (R87)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits.core.amounts import require_credits
from credits.ledger.calling import call
from credits.ledger.errors import WalletNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CapUsage:
    """What a member uses of their caps: charges of a window, and what is on hold.

    The window is half-open; without an end it lasts until the next cycle is known.
    """

    member_id: int
    used: int
    starts_at: datetime
    ends_at: datetime | None


def set_cap(
    *,
    wallet_id: int,
    member_id: int | None,
    credits: int | None,
    set_by_id: int,
    at: datetime,
) -> int | None:
    """Set the cap on a member, or on each (None); without credits, remove it.

    What was used stays counted: raising a cap starts nothing anew. Returns the cap
    that was there before, if any.

    Raises:
        AmountOutOfBounds: not a whole number of credits, 0 or more.
        WalletNotFound: there is none of this id.

    Source: docs/rules.md R87.
    """
    if credits is not None:
        require_credits(credits)
    [row] = call(
        "SELECT * FROM ledger_set_cap(%s::bigint, %s::bigint, %s::bigint, %s::bigint,"
        " %s)",
        [wallet_id, member_id, credits, set_by_id, at],
    )
    if row.outcome == "NO_WALLET":
        raise WalletNotFound
    before: int | None = row.before
    return before


def usage_of_caps(
    *, wallet_id: int, member_ids: Sequence[int], at: datetime
) -> list[CapUsage]:
    """Return what members use of their caps: the figures that jobs are held to."""
    rows = call(
        "SELECT * FROM ledger_member_usage(%s::bigint, %s::bigint[], %s)",
        [wallet_id, [*member_ids], at],
    )
    return [
        CapUsage(row.member_id, row.used, row.starts_at, row.ends_at) for row in rows
    ]
