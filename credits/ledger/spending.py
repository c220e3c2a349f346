"""Spending: a job that is done is charged, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from credits.core.amounts import require_credits
from credits.ledger.calling import array, call, fingerprint
from credits.ledger.errors import (
    CreditsError,
    IdempotencyConflict,
    InsufficientCredits,
    MemberCapReached,
    SpendingBlocked,
    WalletNotFound,
)
from credits.models import SpendingBlock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    Row = Any  # of a named tuple: the columns that the SQL function returns

MAX_BATCH = 200


@dataclass(frozen=True, slots=True)
class UsedLine:
    """One line of a job: milliseconds or pieces of a feature, and their cost."""

    feature: str
    quantity: int
    rate_version: int
    credits: int


@dataclass(frozen=True, slots=True)
class Spend:
    """A command to take the credits of all its lines from one wallet."""

    wallet_id: int
    lines: tuple[UsedLine, ...]
    idempotency_key: str
    actor: str
    reference: str = ""
    member_id: int | None = None
    member: str = ""
    ran_at: datetime | None = None  # R20: when, if its rates are those of then

    @property
    def credits(self) -> int:
        """Return what the whole job costs."""
        return sum(line.credits for line in self.lines)

    @property
    def fingerprint(self) -> bytes:
        """Return a hash of what the caller asked for: what it cost is not part of it.

        A retry after a new rate card is still the same request (R109).
        """
        asked = [[line.feature, line.quantity] for line in self.lines]
        return fingerprint(asked, self.reference, self.member_id, self.ran_at)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a spend did. A replay tells what its first call did."""

    entry_id: int
    seq: int
    credits: int
    balance_after: int
    available: int
    occurred_at: datetime
    is_replay: bool


class _Row(NamedTuple):
    """What `ledger_spend_one` returns, in its order."""

    outcome: str
    entry_id: int
    seq: int
    credits: int
    balance_after: int
    available: int
    occurred_at: datetime
    spending_block: str
    way_forward: str
    cap: int
    used: int


def spend(command: Spend, *, at: datetime) -> Spent:
    """Take credits from a wallet, soonest-expiring grants first (R2).

    Repeating a command with its key returns the first result unchanged (R109);
    a refused command may be repeated with its key.

    Raises:
        InsufficientCredits: the usable grants hold less than the job costs.
        MemberCapReached: the member may not use that much more (R87).
        SpendingBlocked: the terms of the wallet forbid it.
        IdempotencyConflict: the key was used for something else.
        WalletNotFound: there is none of this id.
    """
    require_credits(command.credits)
    [row] = call(
        "SELECT * FROM ledger_spend_one(%s::bigint, %s::bigint, %s, %s, %s::bigint,"
        " %s, %s, %s, %s::text[], %s::bigint[], %s::int[], %s::bigint[], %s)",
        [
            *(command.wallet_id, command.credits, command.idempotency_key),
            *(command.fingerprint, command.member_id, command.member),
            *(command.reference, command.actor),
            array(line.feature for line in command.lines),
            array(line.quantity for line in command.lines),
            array(line.rate_version for line in command.lines),
            *(array(line.credits for line in command.lines), at),
        ],
        make_row=_Row._make,
    )
    outcome = _spent_or_error(row, command)
    if isinstance(outcome, CreditsError):
        raise outcome
    return outcome


def spend_batch(
    commands: Sequence[Spend], *, at: datetime
) -> list[Spent | CreditsError]:
    """Spend many times in one round trip: an answer for each, in the order given.

    A refused command harms no other. Commands on one wallet take effect in order,
    so the result is that of single calls.
    """
    if not 1 <= len(commands) <= MAX_BATCH:
        message = f"A batch has 1 to {MAX_BATCH} commands."
        raise ValueError(message)
    for command in commands:
        require_credits(command.credits)
    rows = call(_SPEND, [*_columns(commands), at])
    by_item = sorted(rows, key=lambda row: row.item)
    return [
        _spent_or_error(row, command)
        for row, command in zip(by_item, commands, strict=True)
    ]


_SPEND = (
    "SELECT * FROM ledger_spend(%s::bigint[], %s::bigint[], %s::text[], %s::bytea[],"
    " %s::bigint[], %s::text[], %s::text[], %s::text[], %s::int[], %s::int[],"
    " %s::text[], %s::bigint[], %s::int[], %s::bigint[], %s)"
)


def _columns(commands: Sequence[Spend]) -> list[list[Any]]:
    lines = [
        (item, position, line)
        for item, command in enumerate(commands, start=1)
        for position, line in enumerate(command.lines)
    ]
    return [
        [command.wallet_id for command in commands],
        [command.credits for command in commands],
        [command.idempotency_key for command in commands],
        [command.fingerprint for command in commands],
        [command.member_id for command in commands],
        [command.member for command in commands],
        [command.reference for command in commands],
        [command.actor for command in commands],
        [item for item, _, _ in lines],
        [position for _, position, _ in lines],
        [line.feature for _, _, line in lines],
        [line.quantity for _, _, line in lines],
        [line.rate_version for _, _, line in lines],
        [line.credits for _, _, line in lines],
    ]


def _spent_or_error(row: Row, command: Spend) -> Spent | CreditsError:
    match row.outcome:
        case "POSTED" | "REPLAYED":
            return Spent(
                entry_id=row.entry_id,
                seq=row.seq,
                credits=-row.credits,
                balance_after=row.balance_after,
                available=row.available,
                occurred_at=row.occurred_at,
                is_replay=row.outcome == "REPLAYED",
            )
        case "CONFLICT":
            return IdempotencyConflict(command.idempotency_key)
        case "INSUFFICIENT":
            return InsufficientCredits(
                needed=command.credits,
                available=row.available,
                way_forward=row.way_forward,
            )
        case "CAPPED":
            return MemberCapReached(needed=command.credits, cap=row.cap, used=row.used)
        case "BLOCKED":
            return SpendingBlocked(
                block=SpendingBlock(row.spending_block),
                needed=command.credits,
                available=row.available,
                way_forward=row.way_forward,
            )
        case _:
            return WalletNotFound()
