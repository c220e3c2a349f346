"""Cost of the months of a paid year, and of the credits of a grant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.revenue import left_cents, moved_cents, share_cents


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


class TestLeft:
    @pytest.mark.parametrize(
        ("left", "cents"), [(600, 2_900), (593, 2_867), (586, 2_833), (0, 0)]
    )
    def test_rounds_down_what_is_gone(self, left, cents):
        assert left_cents(2_900, granted=600, left=left) == cents

    def test_is_nothing_of_a_month_without_credits(self):
        assert left_cents(2_900, granted=0, left=0) == 0


class TestMoved:
    @given(
        cost=st.integers(0, 500_000),
        granted=st.integers(1, 100_000),
        parts=st.lists(st.integers(-5_000, 5_000), max_size=30),
    )
    def test_recognizes_each_cent_once_whatever_is_used_and_given_back(
        self, cost, granted, parts
    ):
        left, cents = granted, cost
        for part in parts:
            drawn = max(-left, min(part, granted - left))
            left += drawn
            cents += moved_cents(cost, granted=granted, left=left, credits=drawn)

        assert cents == left_cents(cost, granted=granted, left=left)

    def test_defers_the_whole_cost_when_it_is_granted(self):
        assert moved_cents(2_900, granted=600, left=600, credits=600) == 2_900
