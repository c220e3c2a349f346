"""Credits for part of a cycle (R22), and what is unspent of one (R30).

Money for time is the provider's, never computed; that for credits is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from billing.core.claims import owed_cents

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Unspent:
    """Credits that go back, and what they were paid with, in cents."""

    credits: int
    cents: int


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


def unspent_share(
    *, granted: int, free: int, paid_cents: int, life: Span, at: datetime
) -> Unspent:
    """Return what of a grant goes back when a longer term begins at `at`.

    The share of its time that is left or of its credits that are unspent, whichever
    is less: credits rounded down, for the customer (R7), and their price half-even.

    Source: docs/rules.md R7, R30.
    """
    whole = (life.ends_at - life.starts_at) // _SECOND
    left = (life.ends_at - at) // _SECOND
    is_time_less = left * granted <= free * whole
    part, of = (left, whole) if is_time_less else (free, granted)
    return Unspent(
        credits=granted * part // of,
        cents=owed_cents(part, granted=of, paid_cents=paid_cents),
    )
