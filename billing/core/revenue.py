"""What credits cost whoever paid for them, in whole cents (R100)."""

from __future__ import annotations


def share_cents(total_cents: int, place: int, *, of: int) -> int:
    """Return one of `of` shares of an amount, by its place from 0; they sum to it.

    The shares are equal but for the cents that are left over: the first ones take
    one each.

    Source: docs/rules.md R100.
    """
    share, left_over = divmod(total_cents, of)
    return share + (place < left_over)


def left_cents(cost_cents: int, *, granted: int, left: int) -> int:
    """Return what of a grant's cost is deferred while so many of its credits are left.

    What is gone is rounded down, so each entry recognises the difference of two such
    figures, and all of them together the whole cost. 0 granted cost nothing.

    Source: docs/rules.md R100; `billing_left` in billing/sql says the same.
    """
    if granted == 0:
        return 0
    return cost_cents - cost_cents * (granted - left) // granted


def moved_cents(cost_cents: int, *, granted: int, left: int, credits: int) -> int:
    """Return what an entry defers of a grant's cost: negative for what it recognises.

    `credits` is its signed draw, `left` what the grant has after it.

    Source: docs/rules.md R100, R101.
    """
    before = left_cents(cost_cents, granted=granted, left=left - credits)
    return left_cents(cost_cents, granted=granted, left=left) - before
