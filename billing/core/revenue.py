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
