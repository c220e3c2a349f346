"""Cost of the months of a paid year."""

from __future__ import annotations

import pytest

from billing.core.revenue import share_cents


class TestShare:
    @pytest.mark.parametrize(
        "year_cents", [0, 1, 11, 12, 13, 147_600, 99_999, 4_270_801]
    )
    def test_twelve_months_cost_what_the_year_costs(self, year_cents):
        shares = [share_cents(year_cents, month, of=12) for month in range(12)]

        assert sum(shares) == year_cents
        assert max(shares) - min(shares) <= 1

    def test_gives_the_first_months_the_cents_that_are_left_over(self):
        shares = [share_cents(1_205, month, of=12) for month in range(12)]

        assert shares == [101] * 5 + [100] * 7
