"""Wallets, their terms, and how credits come in and run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits.core.amounts import require_credits
from credits.ledger.calling import call
from credits.ledger.errors import IdempotencyConflict, WalletNotFound
from credits.models import GrantSource, SpendingBlock, WalletUnit

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """What a grant did. A replay tells what its first call did."""

    grant_id: int
    entry_id: int
    balance_after: int
    is_replay: bool


def open_wallet(
    *, account_id: int, at: datetime, unit: WalletUnit = WalletUnit.CREDITS
) -> int:
    """Return the id of the account's wallet of this unit, opened when missing."""
    [row] = call("SELECT ledger_open_wallet(%s, %s, %s)", [account_id, unit, at])
    return int(row[0])


def set_terms(
    *,
    wallet_id: int,
    spending_block: SpendingBlock | None,
    way_forward: str,
    cycle_starts_at: datetime | None,
    cycle_ends_at: datetime | None,
    rate_plan: str = "standard",
) -> None:
    """Record what the account's plan says: may it spend, at which rates, until when.

    Raises:
        WalletNotFound: there is none of this id.
    """
    rows = call(
        "SELECT ledger_set_terms(%s, %s, %s, %s, %s::timestamptz, %s::timestamptz)",
        [
            wallet_id,
            rate_plan,
            spending_block or "",
            way_forward,
            cycle_starts_at,
            cycle_ends_at,
        ],
    )
    if rows[0][0] is None:
        raise WalletNotFound


def grant(
    *,
    wallet_id: int,
    source: GrantSource,
    source_key: str,
    credits: int,
    cost_basis_cents: int,
    effective_at: datetime,
    expires_at: datetime | None,
    actor: str,
    at: datetime,
    reason: str = "",
) -> Granted:
    """Add credits, once for each `source_key`: one paid thing, one grant.

    `cost_basis_cents` is what the whole grant cost (R100). The grant may not begin
    after `at`; a date of expiry that is past already expires it at the next movement.

    Raises:
        AmountOutOfBounds: not a positive whole number of credits.
        WalletNotFound: there is none of this id.
        IdempotencyConflict: the key granted other credits, or to another cost.
    """
    require_credits(credits, minimum=1)
    [row] = call(
        "SELECT * FROM ledger_grant(%s::bigint[], %s::text[], %s::text[],"
        " %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],"
        " %s::text[], %s::text[], %s)",
        [
            *([wallet_id], [source], [source_key], [credits], [cost_basis_cents]),
            *([effective_at], [expires_at], [actor], [reason], at),
        ],
    )
    if row.outcome == "NO_WALLET":
        raise WalletNotFound
    if row.outcome == "CONFLICT":
        raise IdempotencyConflict(source_key)
    return Granted(
        grant_id=row.grant_id,
        entry_id=row.entry_id,
        balance_after=row.balance_after,
        is_replay=row.outcome == "REPLAYED",
    )


def expire_due(*, limit: int, at: datetime) -> int:
    """Expire up to `limit` wallets that are due (R17); return how many there were."""
    [row] = call("SELECT ledger_expire(%s, %s)", [limit, at])
    return int(row[0])


def expire_wallet(*, wallet_id: int, at: datetime) -> None:
    """Post what has expired in this wallet, so that no reader counts it (R5)."""
    call("SELECT ledger_expire_one(%s, %s)", [wallet_id, at])
