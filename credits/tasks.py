"""Background work of the credits app."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import structlog
from celery import shared_task

from config.clock import now
from credits import alerting, ledger, rate_notices, usage_days
from credits.chunks import BUDGET, work_off
from credits.models import EXPIRY_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

log = structlog.get_logger(__name__)

_FIRST_CHUNK, _FIRST_ALERTS = 100, 5


@shared_task
def expire_due_grants(**_: object) -> None:
    """Post the expiry of all grants that are due, and release holds past their time.

    Readers and spenders do not wait for this: they expire what they touch (R17). Any
    number of workers may run it at once: each passes over what another has locked.
    """
    if wallets := work_off(ledger.expire_due, _FIRST_CHUNK):
        log.info("grants_expired", wallets=wallets)


@shared_task
def raise_alerts(**_: object) -> None:
    """Warn of balances that are low, and of credits that end in 1, 7 and 30 days."""
    below = iter(alerting.below_a_threshold(at=now()))
    low = work_off(partial(_raise_low_balances, below), _FIRST_ALERTS)
    # The nearest first: what is told late is told once, not for each number of days.
    ending = sum(
        work_off(partial(alerting.raise_expiries, days=days), _FIRST_ALERTS)
        for days in sorted(EXPIRY_DAYS)
    )
    if low or ending:
        log.info("alerts_raised", low_balances=low, expiries=ending)


@shared_task
def add_usage_up(**_: object) -> None:
    """Add up the days of busy wallets, so that their pages need not."""
    started_at, entries = now(), 0
    for wallet_id, zone in usage_days.due():
        added = usage_days.CHUNK
        while added == usage_days.CHUNK and now() - started_at < BUDGET:
            added = usage_days.add_up(wallet_id, zone)
            entries += added
    if entries:
        log.info("usage_added_up", entries=entries)


@shared_task
def tell_rate_changes(**_: object) -> None:
    """Tell customers that new rates cost them more, if staff wanted them to hear."""
    work_off(rate_notices.tell_rate_changes, _FIRST_CHUNK)


def _raise_low_balances(below: Iterator[int], *, limit: int, at: datetime) -> int:
    # All were found at once: looking for them takes longer than a chunk should.
    chunk = [*islice(below, limit)]
    alerting.raise_low_balances(chunk, at=at)
    return len(chunk)
