"""Holds: credits reserved for a job while it runs (R68 to R75)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credits.core.amounts import require_credits
from credits.ledger.calling import call, fingerprint
from credits.ledger.errors import (
    ExceedsHold,
    HoldClosed,
    HoldNotFound,
    IdempotencyConflict,
    InsufficientCredits,
    MemberCapReached,
    SpendingBlocked,
    WalletNotFound,
)
from credits.models import SpendingBlock
from credits.models.hold import new_hold_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credits.ledger.spending import UsedLine

    Row = Any  # of a named tuple: the columns that the SQL function returns

TIME_TO_LIVE = timedelta(hours=24)
LONGEST_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Held:
    """What placing a hold did. A replay names the hold of its first call."""

    hold_id: int
    public_id: str
    expires_at: datetime
    available: int
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Extended:
    """How long a hold now lives."""

    expires_at: datetime
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Captured:
    """What a capture charged, and what its hold still reserves."""

    entry_id: int
    credits: int
    rest: int
    state: str
    balance_after: int
    available: int
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Released:
    """How many credits a hold gave back."""

    entry_id: int
    credits: int
    available: int
    is_replay: bool


def hold(
    *,
    wallet_id: int,
    credits: int,
    rate_version: int,
    idempotency_key: str,
    actor: str,
    at: datetime,
    rate_plan: str = "standard",
    reference: str = "",
    member_id: int | None = None,
    member: str = "",
    time_to_live: timedelta = TIME_TO_LIVE,
    job: Sequence[UsedLine] = (),
) -> Held:
    """Reserve credits and pin them: they cannot be spent, and outlive their expiry.

    `job` is what the credits were worked out from, if anything: asking for it again
    after a new rate card is still the same request (R109).

    Raises:
        InsufficientCredits: the usable grants hold less.
        MemberCapReached: the member may not use that much more (R87).
        SpendingBlocked: the terms of the wallet forbid it.
        IdempotencyConflict: the key was used for something else.
        WalletNotFound: there is none of this id.

    Source: docs/rules.md R68, R69.
    """
    require_credits(credits)
    [row] = call(
        "SELECT * FROM ledger_hold_one(%s::bigint, %s, %s::bigint, %s, %s, %s,"
        " %s::int, %s::bigint, %s, %s, %s, %s, %s, %s)",
        [
            *(wallet_id, new_hold_id(), credits, idempotency_key),
            hold_fingerprint(job or credits, reference, member_id),
            *(rate_plan, rate_version, member_id, member, reference),
            *(actor, time_to_live, LONGEST_LIFE, at),
        ],
    )
    _refuse_hold(row, credits=credits, key=idempotency_key)
    return Held(
        hold_id=row.hold_id,
        public_id=row.public_id,
        expires_at=row.expires_at,
        available=row.available,
        is_replay=row.outcome == "REPLAYED",
    )


def hold_fingerprint(
    asked: Sequence[UsedLine] | int, reference: str, member_id: int | None
) -> bytes:
    """Return a hash of what a hold was asked for: a job, or so many credits (R109)."""
    amount = (
        asked
        if isinstance(asked, int)
        else [[line.feature, line.quantity] for line in asked]
    )
    return fingerprint("hold", amount, reference, member_id)


def extend_hold(
    *,
    hold_id: int,
    idempotency_key: str,
    actor: str,
    at: datetime,
    time_to_live: timedelta = TIME_TO_LIVE,
) -> Extended:
    """Let an open hold live longer, seven days in all at most (R68).

    Raises:
        HoldNotFound, HoldClosed, IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT * FROM ledger_extend_hold(%s::bigint[], %s::text[], %s::bytea[],"
        " %s::text[], %s, %s)",
        [
            *([hold_id], [idempotency_key]),
            [fingerprint("extend", hold_id, time_to_live)],
            *([actor], time_to_live, at),
        ],
    )
    _refuse_settling(row, key=idempotency_key)
    return Extended(expires_at=row.expires_at, is_replay=row.outcome == "REPLAYED")


def capture(
    *,
    hold_id: int,
    lines: tuple[UsedLine, ...],
    idempotency_key: str,
    actor: str,
    at: datetime,
    is_final: bool = True,
    absorbs_excess: bool = False,
) -> Captured:
    """Charge what a job used against its hold.

    Several captures may follow each other while their sum stays within the hold
    (R73); a final one gives the rest back, last taken first (R71). With
    `absorbs_excess` a job that cost more than its quote is charged the quote.

    Raises:
        ExceedsHold: it cost more than the hold still reserves.
        HoldNotFound, HoldClosed, IdempotencyConflict: see there.
    """
    credits = require_credits(sum(line.credits for line in lines))
    asked = [[line.feature, line.quantity] for line in lines]
    [row] = call(
        "SELECT * FROM ledger_capture_one(%s::bigint, %s::bigint, %s, %s, %s, %s, %s,"
        " %s::text[], %s::bigint[], %s::bigint[], %s)",
        [
            *(hold_id, credits, absorbs_excess, is_final, idempotency_key),
            *(fingerprint("capture", hold_id, asked, is_final), actor),
            [line.feature for line in lines],
            [line.quantity for line in lines],
            *([line.credits for line in lines], at),
        ],
    )
    if row.outcome == "EXCEEDS_HOLD":
        raise ExceedsHold(credits=credits, rest=row.rest)
    _refuse_settling(row, key=idempotency_key)
    return Captured(
        entry_id=row.entry_id,
        credits=-row.credits,
        rest=row.rest,
        state=row.state,
        balance_after=row.balance_after,
        available=row.available,
        is_replay=row.outcome == "REPLAYED",
    )


def release(
    *,
    hold_id: int,
    is_our_failure: bool,
    idempotency_key: str,
    actor: str,
    at: datetime,
) -> Released:
    """Give back all that a hold still reserves; nothing is charged (R75).

    Credits of a grant that has expired meanwhile end now when the customer canceled,
    and live 72 hours more when the failure was ours (R70).

    Raises:
        HoldNotFound, HoldClosed, IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT * FROM ledger_release(%s::bigint[], %s::bool[], %s::text[],"
        " %s::bytea[], %s::text[], %s)",
        [
            *([hold_id], [is_our_failure], [idempotency_key]),
            *([fingerprint("release", hold_id, is_our_failure)], [actor], at),
        ],
    )
    _refuse_settling(row, key=idempotency_key)
    return Released(
        entry_id=row.entry_id,
        credits=row.credits,
        available=row.available,
        is_replay=row.outcome == "REPLAYED",
    )


def _refuse_hold(row: Row, *, credits: int, key: str) -> None:
    match row.outcome:
        case "CONFLICT":
            raise IdempotencyConflict(key)
        case "INSUFFICIENT":
            raise InsufficientCredits(
                needed=credits, available=row.available, way_forward=row.way_forward
            )
        case "CAPPED":
            raise MemberCapReached(needed=credits, cap=row.cap, used=row.used)
        case "BLOCKED":
            raise SpendingBlocked(
                block=SpendingBlock(row.spending_block),
                needed=credits,
                available=row.available,
                way_forward=row.way_forward,
            )
        case "NO_WALLET":
            raise WalletNotFound


def _refuse_settling(row: Row, *, key: str) -> None:
    match row.outcome:
        case "CONFLICT":
            raise IdempotencyConflict(key)
        case "CLOSED":
            raise HoldClosed(row.state)
        case "NO_HOLD":
            raise HoldNotFound
