"""What a job costs: one rounding a feature, and laws that hold for every rate (R6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from credits.core.amounts import MAX_QUANTITY, ceil_div
from credits.core.rating import (
    ExactRate,
    JobLine,
    MissingRate,
    PricedLine,
    QuantityOutOfBounds,
    price_job,
)

AVATAR_IV = ExactRate(credits=1, per=3_000)
RATES = {
    "avatar-iv": AVATAR_IV,
    "speech": ExactRate(credits=1, per=300_000),
    "image": ExactRate(credits=2, per=1),
    "included": ExactRate(credits=0, per=60_000),
}

rates = some.builds(
    ExactRate,
    credits=some.integers(min_value=1, max_value=1_000),
    per=some.integers(min_value=1, max_value=300_000),
)
quantities = some.integers(min_value=1, max_value=10**9)
jobs = some.lists(
    some.builds(JobLine, feature=some.sampled_from(sorted(RATES)), quantity=quantities),
    min_size=1,
    max_size=8,
)


def total(lines) -> int:
    return sum(line.credits for line in price_job(lines, RATES))


class TestPriceJob:
    def test_sums_a_feature_before_it_rounds(self):
        priced = price_job([JobLine("avatar-iv", 1_500)] * 3, RATES)

        assert priced == (PricedLine("avatar-iv", 4_500, 2),)

    def test_rounds_each_feature_on_its_own(self):
        lines = [JobLine("avatar-iv", 1), JobLine("speech", 1), JobLine("image", 1)]

        assert [line.credits for line in price_job(lines, RATES)] == [1, 1, 2]

    def test_refuses_a_feature_without_a_rate(self):
        with pytest.raises(MissingRate, match="There is no rate for “hologram”"):
            price_job([JobLine("hologram", 1)], RATES)

    @pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, 1.5, True, "1"])
    def test_refuses_a_quantity_that_no_job_has(self, quantity):
        with pytest.raises(QuantityOutOfBounds, match="“image” must be a whole number"):
            price_job([JobLine("image", quantity)], RATES)

    def test_charges_nothing_for_what_is_included(self):
        assert total([JobLine("included", MAX_QUANTITY)]) == 0


class TestLaws:
    @given(rate=rates, quantity=quantities)
    def test_costs_no_less_than_exactly_and_less_than_one_credit_more(
        self, rate, quantity
    ):
        cost = rate.cost(quantity)

        assert quantity * rate.credits <= cost * rate.per
        assert (cost - 1) * rate.per < quantity * rate.credits

    @given(rate=rates, quantity=quantities, more=quantities)
    def test_costs_no_less_for_more(self, rate, quantity, more):
        assert rate.cost(quantity + more) >= rate.cost(quantity)

    @given(rate=rates, quantity=quantities, rest=quantities)
    def test_is_never_cheaper_when_split(self, rate, quantity, rest):
        assert rate.cost(quantity) + rate.cost(rest) >= rate.cost(quantity + rest)

    @given(rate=rates, quantity=quantities)
    def test_costs_at_least_one_credit(self, rate, quantity):
        assert rate.cost(quantity) == max(
            1, ceil_div(quantity * rate.credits, rate.per)
        )

    @given(lines=jobs, data=some.data())
    def test_does_not_depend_on_the_order_of_lines(self, lines, data):
        shuffled = data.draw(some.permutations(lines))

        assert total(shuffled) == total(lines)
