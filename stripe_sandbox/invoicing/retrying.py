"""The declared retry schedule, which stands for Stripe's Smart Retries."""

from __future__ import annotations

import json

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Store

AFTERWARDS = ("cancel", "unpaid", "past_due")
_DAY_S = 86_400
_DAYS = "retry_days"
_THEN = "after_retries"


def days(store: Store) -> list[int]:
    """Return how many days after each failed attempt the next one follows."""
    found: list[int] = json.loads(store.setting(_DAYS, "[3, 5, 7]"))
    return found


def afterwards(store: Store) -> str:
    """Return what becomes of a subscription whose last retry failed."""
    return store.setting(_THEN, "cancel")


def declare(store: Store, *, retry_days: list[int], then: str) -> None:
    """Set the schedule, as one does in Stripe's dashboard.

    Raises:
        ValueError: a wait is not positive, or the end is unknown.
    """
    if then not in AFTERWARDS or any(wait < 1 for wait in retry_days):
        raise ValueError(then)
    store.set_setting(_DAYS, json.dumps(retry_days))
    store.set_setting(_THEN, then)


def next_attempt_at(context: Context, attempt_count: int) -> int | None:
    """Return when to try after so many attempts, or None after the last."""
    waits = days(context.store)
    if attempt_count > len(waits):
        return None
    return context.now + waits[attempt_count - 1] * _DAY_S
