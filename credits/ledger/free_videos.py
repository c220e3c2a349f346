"""Free videos: a counter for each calendar month of an account on Free (R106)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits.ledger.calling import call
from credits.ledger.errors import (
    FreeVideosUsedUp,
    FreeVideoTooLong,
    IdempotencyConflict,
    NoFreeVideos,
    WalletNotFound,
)

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class FreeVideos:
    """How many free videos of a month are used, and when the counter starts again."""

    used: int
    quota: int
    longest_ms: int
    starts_again_at: datetime

    @property
    def left(self) -> int:
        """Return how many can still be made; none when the quota has shrunk since."""
        return max(0, self.quota - self.used)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Which free video of its month a claim took. A replay tells its first call's."""

    number: int
    quota: int
    claimed_at: datetime
    starts_again_at: datetime
    is_replay: bool


def free_videos(*, wallet_id: int, at: datetime) -> FreeVideos | None:
    """Return the free videos of the month; None: the account is not on Free.

    Source: docs/rules.md R67, R106.
    """
    rows = call("SELECT * FROM ledger_free_videos(%s::bigint, %s)", [wallet_id, at])
    return next(
        (
            FreeVideos(row.used, row.quota, row.longest_ms, row.starts_again_at)
            for row in rows
        ),
        None,
    )


def claim_free_video(
    *,
    wallet_id: int,
    milliseconds: int,
    idempotency_key: str,
    actor: str,
    at: datetime,
    reference: str = "",
) -> Claimed:
    """Take one of the free videos of the month. No credits are involved.

    Raises:
        FreeVideosUsedUp: there are no more until the counter starts again.
        FreeVideoTooLong: a free video is not that long.
        NoFreeVideos: the account is not on Free.
        IdempotencyConflict: the key was used for another video.
        WalletNotFound: there is none of this id.

    Source: docs/rules.md R106.
    """
    [row] = call(
        "SELECT * FROM ledger_claim_free_video(%s::bigint, %s::int, %s, %s, %s, %s)",
        [wallet_id, milliseconds, reference, idempotency_key, actor, at],
    )
    match row.outcome:
        case "NO_WALLET":
            raise WalletNotFound
        case "CONFLICT":
            raise IdempotencyConflict(idempotency_key)
        case "NOT_FREE":
            raise NoFreeVideos
        case "TOO_LONG":
            raise FreeVideoTooLong(row.longest_ms)
        case "USED_UP":
            raise FreeVideosUsedUp(
                quota=row.quota,
                starts_again_at=row.starts_again_at,
                way_forward=row.way_forward,
            )
        case _:
            return Claimed(
                number=row.number,
                quota=row.quota,
                claimed_at=row.claimed_at,
                starts_again_at=row.starts_again_at,
                is_replay=row.outcome == "REPLAYED",
            )
