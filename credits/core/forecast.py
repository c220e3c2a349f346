"""How long credits last at a steady pace, and what of them ends unused.

Exact integers: a pace is a fraction of credits by days, and credits count as used
once they are used in whole. Instants are aware; a lot is gone at its expiry (R5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# Beyond it nobody plans, and the calendar of datetime ends.
HORIZON = timedelta(days=36_500)

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Pace:
    """So many credits in so many days; `days` is at least 1."""

    credits: int
    days: int

    @property
    def a_day(self) -> int:
        """Return the credits of a day, rounded half up."""
        return (2 * self.credits + self.days) // (2 * self.days)

    def used_after(self, elapsed: timedelta) -> int:
        """Return the whole credits that are used after so long."""
        microseconds = max(elapsed // _MICROSECOND, 0)
        return self.credits * microseconds // (self.days * _DAY)

    def time_to_use(self, credits: int) -> timedelta | None:
        """Return how long so many credits take, None beyond the horizon."""
        if self.credits == 0:
            return None
        microseconds = -(-credits * self.days * _DAY // self.credits)
        if microseconds > HORIZON // _MICROSECOND:
            return None
        return timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class Lot:
    """Credits that end together, or never."""

    credits: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lapse:
    """Credits that end unused."""

    credits: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """When nothing is left (None: not within the horizon), and what lapses before."""

    runs_out_at: datetime | None
    used: int
    lapses: tuple[Lapse, ...]


def forecast(lots: Sequence[Lot], pace: Pace, *, at: datetime) -> Forecast:
    """Use lots, given in the order of use (R2), at a pace from an instant on.

    No credits come in meanwhile. Without a pace only what expires goes.
    """
    used = 0
    lapses: list[Lapse] = []
    for lot in lots:
        taken = _taken(lot, pace, used, at)
        used += taken
        if lot.expires_at and taken < lot.credits:
            lapses.append(Lapse(lot.credits - taken, lot.expires_at))
    ends_at = lots[-1].expires_at if lots else at
    # Lots end in the order of use: when the last one lapses, it is the end of all.
    is_used_up = ends_at is None or not lapses or lapses[-1].at < ends_at
    until_used = pace.time_to_use(used) if used else None
    if lots and is_used_up:
        ends_at = at + until_used if until_used else None
    return Forecast(ends_at, used, tuple(lapses))


def _taken(lot: Lot, pace: Pace, used: int, at: datetime) -> int:
    """Return what is used of a lot, when so much of those before it is."""
    if lot.expires_at is None:
        return lot.credits if pace.credits else 0
    return min(lot.credits, pace.used_after(lot.expires_at - at) - used)
