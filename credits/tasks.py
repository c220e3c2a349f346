"""Background work of the credits app."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task

from config.clock import now
from credits import ledger

log = structlog.get_logger(__name__)

# Wallets a call: about 50 ms, so that nobody waits long for a lock.
_CHUNK = 100
_BUDGET = timedelta(seconds=45)  # less than the minute until the next run


@shared_task
def expire_due_grants(**_: object) -> None:
    """Post the expiry of all grants that are due.

    Readers and spenders do not wait for this: they expire what they touch (R17).
    """
    started_at = at = now()
    wallets = 0
    while at - started_at < _BUDGET:
        expired = ledger.expire_due(limit=_CHUNK, at=at)
        wallets += expired
        if expired == 0:
            break
        at = now()
    if wallets:
        log.info("grants_expired", wallets=wallets)
