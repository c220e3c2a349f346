"""Background work of the accounts app."""

from __future__ import annotations

from celery import shared_task

from accounts import sending
from config.clock import now

_MOST_A_RUN = 200


@shared_task(name="accounts.tasks.send_due_notices")
def send_due_notices(**_: object) -> None:
    """Send the notices that are due; what a run leaves, the next one sends."""
    for _attempt in range(_MOST_A_RUN):
        # Each lease counts from its own claim, so the clock is read for each.
        if not sending.send_next(at=now()):
            return
