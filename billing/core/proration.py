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


def unspent_share_cents(
    *, price_cents: int, unspent: int, granted: int, cycle: Span, at: datetime
) -> int:
    """Return what an unused part of a month is worth: R30's `unspent_share`.

    The price times the smaller of the time left and the credits left, half-even.

    Source: docs/rules.md R7, R30.
    """
    length = (cycle.ends_at - cycle.starts_at) // _SECOND
    left = (cycle.ends_at - at) // _SECOND
    # Compare the two shares crosswise: no fraction is ever rounded before the end.
    if left * granted <= unspent * length:
        return _half_even(price_cents * left, length)
    return _half_even(price_cents * unspent, granted)


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    doubled = 2 * rest
    is_up = doubled > denominator or (doubled == denominator and whole % 2 == 1)
    return whole + is_up
