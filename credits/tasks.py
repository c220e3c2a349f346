"""Background work of the credits app."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task

from config.clock import now
from credits import ledger

log = structlog.get_logger(__name__)

# A chunk holds the locks of its wallets until it is done: nobody shall wait for long.
_AIM = timedelta(milliseconds=50)
_FIRST_CHUNK = 100
_LARGEST_CHUNK = 3_200
_BUDGET = timedelta(seconds=45)  # less than the minute until the next run


@shared_task
def expire_due_grants(**_: object) -> None:
    """Post the expiry of all grants that are due, and release holds past their time.

    Readers and spenders do not wait for this: they expire what they touch (R17). Any
    number of workers may run it at once: each passes over what another has locked.
    """
    started_at = at = now()
    chunk, wallets = _FIRST_CHUNK, 0
    while at - started_at < _BUDGET:
        expired = ledger.expire_due(limit=chunk, at=at)
        wallets += expired
        if expired < chunk:
            break
        ended_at = now()
        chunk, at = next_chunk(chunk, took=ended_at - at), ended_at
    if wallets:
        log.info("grants_expired", wallets=wallets)


def next_chunk(chunk: int, *, took: timedelta) -> int:
    """Return how many wallets to take next, after a chunk that took so long."""
    if took > _AIM:
        return max(1, chunk // 2)
    if took * 2 < _AIM:
        return min(_LARGEST_CHUNK, chunk * 2)
    return chunk
