"""Credits for part of a cycle (R22). Money for it is the provider's, never computed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span

_SECOND = timedelta(seconds=1)


def upgrade_credits(
    *, old_credits: int, new_credits: int, cycle: Span, at: datetime
) -> int:
    """Return the credits that an upgrade at `at` adds to the running cycle.

    The difference of the allotments times the share of whole seconds that is left,
    rounded up for the customer (R7); 0 when the new plan has no more credits.

    Raises:
        ValueError: the cycle does not cover `at`.

    Source: docs/rules.md R7, R22.
    """
    if not cycle.covers(at):
        message = f"{at} is not in the cycle from {cycle.starts_at} to {cycle.ends_at}."
        raise ValueError(message)
    more = max(0, new_credits - old_credits)
    length = (cycle.ends_at - cycle.starts_at) // _SECOND
    left = (cycle.ends_at - at) // _SECOND
    return -(-more * left // length)
