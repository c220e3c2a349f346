"""Whole percents of a picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.shares import percents


class TestPercents:
    @pytest.mark.parametrize(
        ("amounts", "shares"),
        [
            ([], []),
            ([7], [100]),
            ([1, 1, 1], [34, 33, 33]),
            ([480, 1_160, 500, 60], [22, 53, 23, 2]),
            ([1, 1_000_000], [1, 99]),
        ],
    )
    def test_are_the_shares(self, amounts, shares):
        assert percents(amounts) == shares

    @given(st.lists(st.integers(1, 10**12), min_size=1, max_size=8))
    def test_sum_to_100_and_lose_nothing(self, amounts):
        shares = percents(amounts)

        assert sum(shares) == 100
        assert min(shares) >= 1
