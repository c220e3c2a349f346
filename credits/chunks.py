"""Working off what is due in chunks: by time, so that nobody waits for long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

# A chunk holds the locks of its rows until it is done.
_AIM = timedelta(milliseconds=50)
_SMALLEST_CHUNK, _LARGEST_CHUNK = 50, 3_200
BUDGET = timedelta(seconds=45)  # less than the minute until the next run


class Step(Protocol):
    """Works off some of what is due, and returns how many that were."""

    def __call__(self, *, limit: int, at: datetime) -> int:
        """Return less than `limit` when nothing is left."""


def work_off(step: Step, first_chunk: int) -> int:
    """Take steps, each as large as the last one was quick; return how many were due."""
    started_at = at = now()
    chunk, total = first_chunk, 0
    while at - started_at < BUDGET:
        done = step(limit=chunk, at=at)
        total += done
        if done < chunk:
            break
        ended_at = now()
        chunk, at = next_chunk(chunk, took=ended_at - at), ended_at
    return total


def next_chunk(chunk: int, *, took: timedelta) -> int:
    """Return how many to take next, after a chunk that took so long."""
    if took > _AIM:
        # Below that it is the machine that is slow: smaller ones would not be quicker.
        return max(min(chunk, _SMALLEST_CHUNK), chunk // 2)
    if took * 2 < _AIM:
        return min(_LARGEST_CHUNK, chunk * 2)
    return chunk
