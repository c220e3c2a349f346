"""Credits for the rest of a cycle, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.periods import Span
from billing.core.proration import upgrade_credits

APRIL = Span(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
SECOND = timedelta(seconds=1)
instants = st.integers(0, 30 * 86_400 - 1).map(
    lambda seconds: APRIL.starts_at + seconds * SECOND
)
allotments = st.integers(0, 100_000)


class TestUpgradeCredits:
    """R22."""

    @pytest.mark.parametrize(
        ("at", "credits"),
        [
            (APRIL.starts_at, 400),
            (datetime(2026, 4, 16, tzinfo=UTC), 200),
            # Ten days of thirty: 133.33 goes up for the customer (R7).
            (datetime(2026, 4, 21, tzinfo=UTC), 134),
            (APRIL.ends_at - SECOND, 1),
        ],
    )
    def test_is_the_share_of_the_seconds_left_rounded_up(self, at, credits):
        added = upgrade_credits(old_credits=600, new_credits=1_000, cycle=APRIL, at=at)

        assert added == credits

    def test_counts_whole_seconds_as_the_provider_does(self):
        at = APRIL.starts_at + timedelta(microseconds=1)

        added = upgrade_credits(
            old_credits=0, new_credits=30 * 86_400, cycle=APRIL, at=at
        )

        assert added == 30 * 86_400 - 1

    def test_takes_nothing_when_the_new_plan_has_fewer(self):
        added = upgrade_credits(
            old_credits=2_000, new_credits=1_500, cycle=APRIL, at=APRIL.starts_at
        )

        assert added == 0

    @pytest.mark.parametrize("at", [APRIL.starts_at - SECOND, APRIL.ends_at])
    def test_refuses_an_instant_outside_the_cycle(self, at):
        with pytest.raises(ValueError, match="not in the cycle"):
            upgrade_credits(old_credits=0, new_credits=1, cycle=APRIL, at=at)

    @given(allotments, allotments, allotments, instants)
    def test_two_steps_at_one_instant_equal_one(self, first, second, third, at):
        """R24: within the rounding of one step."""
        low, middle, high = sorted([first, second, third])

        steps = upgrade_credits(
            old_credits=low, new_credits=middle, cycle=APRIL, at=at
        ) + upgrade_credits(old_credits=middle, new_credits=high, cycle=APRIL, at=at)

        at_once = upgrade_credits(old_credits=low, new_credits=high, cycle=APRIL, at=at)
        assert steps - at_once in {0, 1}
