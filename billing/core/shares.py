"""Whole percents for pictures: they sum to 100, and nothing that is there vanishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE = 100


def percents(amounts: Sequence[int]) -> list[int]:
    """Return each amount's share in percent, at least 1, by largest remainder.

    All amounts are positive, and there are at most 100.
    """
    total = sum(amounts)
    shares = [max(1, amount * WHOLE // total) for amount in amounts]
    by_remainder = sorted(
        range(len(amounts)), key=lambda n: amounts[n] * WHOLE % total, reverse=True
    )
    for n in by_remainder:
        if sum(shares) >= WHOLE:
            break
        shares[n] += 1
    # Lifting small shares to 1 may have given out too much: the largest gives it back.
    largest = max(range(len(amounts)), key=lambda n: shares[n], default=0)
    if shares:
        shares[largest] -= sum(shares) - WHOLE
    return shares
