"""The offset of the portal's clock: stored once, and followed by every process.

It is read at the edges only, before a request or a task; `clock.now()` never asks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing.models import PortalClock
from config import clock

if TYPE_CHECKING:
    from datetime import datetime


def follow() -> None:
    """Let this process's clock show what was stored last."""
    stored = PortalClock.objects.values_list("offset", flat=True).first()
    clock.set_offset(stored or timedelta())


def move(to: datetime) -> None:
    """Make it another time for all processes: each sees it at its next step."""
    offset = to - clock.real_now()
    PortalClock.objects.update_or_create(pk=1, defaults={"offset": offset})
    clock.set_offset(offset)


def put_right() -> None:
    """Make it the world's time again."""
    PortalClock.objects.all().delete()
    clock.set_offset(timedelta())
