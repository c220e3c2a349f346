"""What credits cost whoever paid for them, in whole cents (R100)."""

from __future__ import annotations

from billing.core.periods import MONTHS_IN_YEAR


def month_share_cents(year_cents: int, month: int) -> int:
    """Return what month 0 to 11 of a paid year costs; the twelve sum to the year.

    The shares are equal but for the cents that are left over: the first months
    take one each.

    Source: docs/rules.md R100.
    """
    share, left_over = divmod(year_cents, MONTHS_IN_YEAR)
    return share + (month < left_over)
