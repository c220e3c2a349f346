"""Corrections: new entries that undo, end or suspend, and never edit (R3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credits.core.amounts import require_credits
from credits.ledger.calling import call, fingerprint
from credits.ledger.errors import (
    GrantNotFound,
    IdempotencyConflict,
    NotEnoughLeft,
    NotPossible,
    WalletNotFound,
)

if TYPE_CHECKING:
    from datetime import datetime

    from credits.models import Freeze

    Row = Any  # of a named tuple: the columns that the SQL function returns

FRESH_TIME = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction moved; 0 credits and no entry when there was nothing to do."""

    entry_id: int | None
    credits: int
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """The grant that took over the credits of another."""

    entry_id: int | None
    credits: int
    grant_id: int | None
    is_replay: bool


def revoke(
    *,
    grant_id: int,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
    credits: int | None = None,
) -> Corrected:
    """Take back what is free of a grant: all of it, or so many credits.

    What a job holds stays with the job (R77).

    Raises:
        NotEnoughLeft: the grant has fewer free credits.
        GrantNotFound, IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT * FROM ledger_revoke(%s::bigint[], %s::bigint[], %s::text[],"
        " %s::bytea[], %s::text[], %s::text[], %s)",
        [
            *([grant_id], [credits], [idempotency_key]),
            *([fingerprint("revoke", grant_id, credits)], [actor], [reason], at),
        ],
    )
    _refuse(row, key=idempotency_key, credits=credits or 0)
    return _corrected(row)


def remove(
    *,
    wallet_id: int,
    credits: int,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
    grant_id: int | None = None,
) -> Corrected:
    """Take available credits away, in the order of debits or of one grant alone.

    One entry, which `reinstate` puts back as a whole.

    Raises:
        NotEnoughLeft: fewer are available: held and frozen ones are not.
        WalletNotFound, IdempotencyConflict: see there.

    Source: docs/rules.md R2, R92.
    """
    require_credits(credits, minimum=1)
    [row] = call(
        "SELECT * FROM ledger_remove(%s::bigint, %s::bigint, %s::bigint, %s, %s, %s,"
        " %s, %s)",
        [
            *(wallet_id, grant_id, credits, idempotency_key),
            *(fingerprint("remove", grant_id, credits), actor, reason, at),
        ],
    )
    _refuse(row, key=idempotency_key, credits=credits)
    return _corrected(row)


def reinstate(
    *, entry_id: int, idempotency_key: str, actor: str, reason: str, at: datetime
) -> Corrected:
    """Put back what an entry revoked: the money for it was not returned (R80).

    What comes back to a grant that has ended meanwhile ends at once.

    Raises:
        NotPossible: the entry revoked nothing, or that is back already.
        IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT * FROM ledger_reinstate(%s::bigint[], %s::text[], %s::bytea[],"
        " %s::text[], %s::text[], %s)",
        [
            *([entry_id], [idempotency_key]),
            *([fingerprint("reinstate", entry_id)], [actor], [reason], at),
        ],
    )
    _refuse(row, key=idempotency_key)
    return _corrected(row)


def freeze(
    *,
    grant_id: int,
    freeze: Freeze,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
) -> Corrected:
    """Make what is free of a grant unusable, for one more reason.

    Its clock stands still in a dispute, a fraud warning and a pause (R66, R83, R84),
    and runs on for want of a plan (R58). Frozen already for it: nothing happens.

    Raises:
        GrantNotFound, IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT *, frozen AS credits FROM ledger_freeze(%s::bigint[], %s::text[],"
        " %s::text[], %s::bytea[], %s::text[], %s::text[], %s)",
        [
            *([grant_id], [freeze], [idempotency_key]),
            *([fingerprint("freeze", grant_id, freeze)], [actor], [reason], at),
        ],
    )
    _refuse(row, key=idempotency_key)
    return _corrected(row)


def unfreeze(
    *,
    grant_id: int,
    freeze: Freeze,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
) -> Corrected:
    """End one reason for which a grant is frozen; with the last one it is usable.

    Its expiry moves by the time that its clock stood still (R83). Not frozen for
    that reason: nothing happens.

    Raises:
        GrantNotFound, IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT *, frozen AS credits FROM ledger_unfreeze(%s::bigint[], %s::text[],"
        " %s::text[], %s::bytea[], %s::text[], %s::text[], %s)",
        [
            *([grant_id], [freeze], [idempotency_key]),
            *([fingerprint("unfreeze", grant_id, freeze)], [actor], [reason], at),
        ],
    )
    _refuse(row, key=idempotency_key)
    return _corrected(row)


def reverse(
    *,
    entry_id: int,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
    credits: int | None = None,
    fresh_time: timedelta = FRESH_TIME,
) -> Corrected:
    """Give credits of a spend or a capture back to their grants, last taken first.

    All that is not given back yet, or so many. A grant that has expired meanwhile
    lives `fresh_time` longer.

    Raises:
        NotEnoughLeft: fewer are left to give back.
        NotPossible: the entry took nothing that could be given back.
        IdempotencyConflict: see there.

    Source: docs/rules.md R3.
    """
    [row] = call(
        "SELECT * FROM ledger_reverse(%s::bigint[], %s::bigint[], %s::text[],"
        " %s::bytea[], %s::text[], %s::text[], %s, %s)",
        [
            *([entry_id], [credits], [idempotency_key]),
            *([fingerprint("reverse", entry_id, credits)], [actor], [reason]),
            *(fresh_time, at),
        ],
    )
    _refuse(row, key=idempotency_key, credits=credits or 0)
    return _corrected(row)


def move(
    *,
    grant_id: int,
    expires_at: datetime,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
) -> Moved:
    """Give what is free of a grant a later expiry, by a pair of entries (R95).

    The credits become a grant of the same source with their share of its cost.

    Raises:
        NotPossible: the grant is frozen, or does not expire before that.
        GrantNotFound, IdempotencyConflict: see there.
    """
    [row] = call(
        "SELECT * FROM ledger_move(%s::bigint[], %s::timestamptz[], %s::text[],"
        " %s::bytea[], %s::text[], %s::text[], %s)",
        [
            *([grant_id], [expires_at], [idempotency_key]),
            *([fingerprint("move", grant_id, expires_at)], [actor], [reason], at),
        ],
    )
    _refuse(row, key=idempotency_key)
    return Moved(
        entry_id=row.entry_id,
        credits=row.credits or 0,
        grant_id=row.grant_id,
        is_replay=row.outcome == "REPLAYED",
    )


def record_debt(
    *,
    wallet_id: int,
    credits: int,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
) -> Corrected:
    """Record credits as owed: they were spent, and then refunded in full (R78).

    Raises:
        WalletNotFound, IdempotencyConflict: see there.
    """
    return _owe(wallet_id, credits, idempotency_key, actor, reason, clears=False, at=at)


def clear_debt(
    *,
    wallet_id: int,
    credits: int,
    idempotency_key: str,
    actor: str,
    reason: str,
    at: datetime,
) -> Corrected:
    """Record that credits are no longer owed: paid in money, or written off (R79).

    Raises:
        NotEnoughLeft: fewer are owed.
        WalletNotFound, IdempotencyConflict: see there.
    """
    return _owe(wallet_id, credits, idempotency_key, actor, reason, clears=True, at=at)


def _owe(
    wallet_id: int,
    credits: int,
    key: str,
    actor: str,
    reason: str,
    *,
    clears: bool,
    at: datetime,
) -> Corrected:
    require_credits(credits, minimum=1)
    [row] = call(
        "SELECT *, debt AS credits FROM ledger_debt(%s::bigint[], %s::bigint[],"
        " %s::bool[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s)",
        [
            *([wallet_id], [credits], [clears], [key]),
            *([fingerprint("debt", credits, clears)], [actor], [reason], at),
        ],
    )
    _refuse(row, key=key, credits=credits)
    return Corrected(
        entry_id=row.entry_id, credits=credits, is_replay=row.outcome == "REPLAYED"
    )


def _corrected(row: Row) -> Corrected:
    return Corrected(
        entry_id=row.entry_id,
        credits=abs(row.credits or 0),
        is_replay=row.outcome == "REPLAYED",
    )


_REASONS = {
    "NOT_REVERSIBLE": "Only credits that a job used can be given back.",
    "NOT_REVOKED": "The entry removed nothing that is still gone.",
    "NO_ENTRY": "There is no such entry.",
    "FROZEN": "The grant is frozen.",
    "NOT_LATER": "The grant does not expire before that.",
}


def _refuse(row: Row, *, key: str, credits: int = 0) -> None:
    match row.outcome:
        case "CONFLICT":
            raise IdempotencyConflict(key)
        case "NO_GRANT":
            raise GrantNotFound
        case "NO_WALLET":
            raise WalletNotFound
        case "EXCEEDS_GRANT" | "EXCEEDS_ENTRY" | "EXCEEDS_DEBT":
            raise NotEnoughLeft(credits)
        case outcome if outcome in _REASONS:
            raise NotPossible(_REASONS[outcome])
