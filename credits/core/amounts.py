"""Whole credits and whole cents: integers, their bounds, and the one division."""

from __future__ import annotations

# Far above any real balance, far below a bigint: sums of many stay inside one.
MAX_CREDITS = 10**12
MAX_QUANTITY = 10**12


class AmountOutOfBounds(ValueError):
    """An amount that is not a whole number within what the ledger can hold."""


def ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up."""
    return -(-dividend // divisor)


def require_credits(credits: int, *, minimum: int = 0) -> int:
    """Return `credits` when it is a whole number of credits within bounds.

    Raises:
        AmountOutOfBounds: it is not.
    """
    if type(credits) is not int or not minimum <= credits <= MAX_CREDITS:
        message = f"Credits must be a whole number from {minimum} to {MAX_CREDITS}."
        raise AmountOutOfBounds(message)
    return credits
