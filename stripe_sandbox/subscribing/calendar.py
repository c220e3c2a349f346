"""Billing periods. The day of the anchor is kept: 31 January, 28 February, 31 March.

Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from stripe_sandbox.engine.store import Json

DAY_S = 86_400
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def boundary(anchor: int, recurring: Json, steps: int) -> int:
    """Return the end of the n-th interval from the anchor, in Unix seconds."""
    interval, count = recurring["interval"], recurring.get("interval_count") or 1
    if interval in _DAYS:
        return anchor + steps * count * _DAYS[interval] * DAY_S
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + steps * count * _MONTHS[interval]
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def boundary_after(anchor: int, recurring: Json, at: int) -> int:
    """Return the first boundary later than a moment."""
    return boundary(anchor, recurring, _steps(anchor, recurring, at) + 1)


def boundary_before(anchor: int, recurring: Json, at: int) -> int:
    """Return the last boundary earlier than a moment."""
    return boundary(anchor, recurring, _steps(anchor, recurring, at - 1))


def _steps(anchor: int, recurring: Json, at: int) -> int:
    """The number of the boundary at or before a moment, from a guess near it."""
    steps = (at - anchor) // (boundary(anchor, recurring, 1) - anchor)
    while boundary(anchor, recurring, steps) > at:
        steps -= 1
    while boundary(anchor, recurring, steps + 1) <= at:
        steps += 1
    return steps
