"""The only clock: read at the edges, and passed inward as `at`.

In sandbox mode the time machine can move it (billing/time_machine.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

_offset = timedelta()


def now() -> datetime:
    """Return the present instant by the portal's clock, aware, in UTC."""
    return real_now() + _offset


def real_now() -> datetime:
    """Return the present instant in the world, where signatures are made."""
    return timezone.now()


def offset() -> timedelta:
    """Return how far the portal's clock is ahead of the world's: zero in production."""
    return _offset


def set_offset(offset: timedelta) -> None:
    """Move the clock of this process: what `billing.portal_clock` reads is its own."""
    global _offset  # noqa: PLW0603 - one process has one time
    _offset = offset
