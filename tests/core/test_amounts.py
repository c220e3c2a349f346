"""Whole credits, their bounds, and the one division."""

from __future__ import annotations

import pytest

from credits.core.amounts import (
    MAX_CREDITS,
    AmountOutOfBounds,
    ceil_div,
    require_credits,
)


class TestCeilDiv:
    @pytest.mark.parametrize(
        ("dividend", "divisor", "expected"),
        [(0, 3, 0), (1, 3, 1), (3, 3, 1), (4, 3, 2), (10**24 + 1, 10**12, 10**12 + 1)],
    )
    def test_rounds_up_exactly(self, dividend, divisor, expected):
        assert ceil_div(dividend, divisor) == expected


class TestRequireCredits:
    @pytest.mark.parametrize("credits", [0, 1, MAX_CREDITS])
    def test_returns_what_is_within_bounds(self, credits):
        assert require_credits(credits) == credits

    @pytest.mark.parametrize("credits", [-1, MAX_CREDITS + 1, 1.0, True, "1", None])
    def test_refuses_everything_else(self, credits):
        with pytest.raises(AmountOutOfBounds):
            require_credits(credits)

    def test_refuses_less_than_the_minimum(self):
        with pytest.raises(AmountOutOfBounds, match="from 1 to"):
            require_credits(0, minimum=1)
