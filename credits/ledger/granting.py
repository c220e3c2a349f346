"""Wallets, their terms, and how credits come in and run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credits.core.amounts import require_credits
from credits.ledger.calling import call
from credits.ledger.errors import CreditsError, IdempotencyConflict, WalletNotFound
from credits.models import GrantSource, SpendingBlock, WalletUnit
from credits.signals import credits_granted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    Row = Any  # of a named tuple: the columns that the SQL function returns


@dataclass(frozen=True, slots=True)
class Grant:
    """A command to add credits that expire and cost alike (R100)."""

    wallet_id: int
    source: GrantSource
    source_key: str
    credits: int
    cost_basis_cents: int
    effective_at: datetime
    expires_at: datetime | None
    actor: str
    reason: str = ""


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
    plan_ends_at: datetime | None = None,
    spends_until: datetime | None = None,
    free_videos: int | None = None,
    free_video_ms: int | None = None,
) -> None:
    """Record what the account's plan says: may it spend, at which rates, until when.

    At `plan_ends_at` all that plans gave ends (R15, R58); an end that is taken back
    before that leaves no trace. From `spends_until` on the wallet is blocked (R62).
    `free_videos` of up to `free_video_ms` each begin when no plan is left (R67, R106).

    Raises:
        WalletNotFound: there is none of this id.
    """
    rows = call(
        "SELECT ledger_set_terms(%s, %s, %s, %s, %s::timestamptz, %s::timestamptz,"
        " %s::timestamptz, %s::timestamptz, %s::smallint, %s::int)",
        [
            wallet_id,
            rate_plan,
            spending_block or "",
            way_forward,
            cycle_starts_at,
            cycle_ends_at,
            plan_ends_at,
            spends_until,
            free_videos,
            free_video_ms,
        ],
    )
    if not rows[0][0]:
        raise WalletNotFound


def set_cycles(cycles: Mapping[int, tuple[datetime, datetime]]) -> None:
    """Record the months that have begun, [start, end), of many wallets by their ids."""
    call(
        "SELECT ledger_set_cycles(%s::bigint[], %s::timestamptz[], %s::timestamptz[])",
        [
            list(cycles),
            [starts_at for starts_at, _ in cycles.values()],
            [ends_at for _, ends_at in cycles.values()],
        ],
    )


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
    command = Grant(
        wallet_id=wallet_id,
        source=source,
        source_key=source_key,
        credits=credits,
        cost_basis_cents=cost_basis_cents,
        effective_at=effective_at,
        expires_at=expires_at,
        actor=actor,
        reason=reason,
    )
    [outcome] = grant_batch([command], at=at)
    if isinstance(outcome, CreditsError):
        raise outcome
    return outcome


def grant_batch(
    commands: Sequence[Grant], *, at: datetime
) -> list[Granted | CreditsError]:
    """Grant many times in one round trip: an answer for each, in the order given.

    A refused command harms no other.
    """
    for command in commands:
        require_credits(command.credits, minimum=1)
    rows = call(
        "SELECT * FROM ledger_grant(%s::bigint[], %s::text[], %s::text[],"
        " %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],"
        " %s::text[], %s::text[], %s)",
        [
            [command.wallet_id for command in commands],
            [command.source for command in commands],
            [command.source_key for command in commands],
            [command.credits for command in commands],
            [command.cost_basis_cents for command in commands],
            [command.effective_at for command in commands],
            [command.expires_at for command in commands],
            [command.actor for command in commands],
            [command.reason for command in commands],
            at,
        ],
    )
    by_item = sorted(rows, key=lambda row: row.item)
    outcomes = [
        _granted_or_error(row, command)
        for row, command in zip(by_item, commands, strict=True)
    ]
    _tell(outcomes, at)
    return outcomes


def expire_due(*, limit: int, at: datetime) -> int:
    """Expire up to `limit` wallets that are due (R17); return how many there were."""
    [row] = call("SELECT ledger_expire(%s, %s)", [limit, at])
    return int(row[0])


def expire_wallet(*, wallet_id: int, at: datetime) -> None:
    """Post what has expired in this wallet, so that no reader counts it (R5)."""
    call("SELECT ledger_expire_one(%s, %s)", [wallet_id, at])


def _tell(outcomes: Sequence[Granted | CreditsError], at: datetime) -> None:
    news = [
        outcome.entry_id
        for outcome in outcomes
        if isinstance(outcome, Granted) and not outcome.is_replay
    ]
    if news:
        credits_granted.send(sender=None, entry_ids=news, at=at)


def _granted_or_error(row: Row, command: Grant) -> Granted | CreditsError:
    match row.outcome:
        case "NO_WALLET":
            return WalletNotFound()
        case "CONFLICT":
            return IdempotencyConflict(command.source_key)
        case _:
            return Granted(
                grant_id=row.grant_id,
                entry_id=row.entry_id,
                balance_after=row.balance_after,
                is_replay=row.outcome == "REPLAYED",
            )
