"""When each task of the timetable last ran, and how that went.

Kept in the cache, so it is for people to look at: what has to happen is a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.core.cache import cache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "last_run:"


@dataclass(frozen=True, slots=True)
class LastRun:
    """One run of a task; the instant is of the world's clock, which nobody moves."""

    ended_at: datetime
    took: timedelta
    is_good: bool


def note(task: str, run: LastRun) -> None:
    """Remember a run in place of the one before.

    Raises:
        RedisError: Valkey does not answer.
    """
    # A tuple: what a release before this one has written must stay readable.
    cache.set(_PREFIX + task, (run.ended_at, run.took, run.is_good), timeout=None)


def last_runs(tasks: Iterable[str]) -> dict[str, LastRun]:
    """Return the last run of each task, if it is known: none without Valkey."""
    try:
        kept = cache.get_many([_PREFIX + task for task in tasks])
    except RedisError:
        return {}
    return {key.removeprefix(_PREFIX): LastRun(*run) for key, run in kept.items()}
