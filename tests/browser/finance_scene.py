"""Months of finance, one of them closed and sealed."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import User
from billing.finance import closing, months
from config.clock import now

Arguments = dict[str, tuple[object, ...]]


def months_of(user: User) -> Arguments:
    """Let the first month be closed and sealed, so that the next one can be closed."""
    at = now()
    first = months.first_open(at=at)
    closed = closing.close(first, by=user, reason="All is settled.", at=at)
    closing.seal(closed, at=at + timedelta(minutes=15))
    return {
        "closed": (first.code,),
        "open": (first.next.code,),
        "running": (months.month_of(at).code,),
    }
