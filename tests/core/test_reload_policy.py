"""Whether a card is charged, for how much, and when it is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from billing.core.reload_policy import (
    Block,
    Decline,
    Enough,
    Figures,
    Limits,
    Month,
    Reload,
    Skip,
    SkipReason,
    classify,
    decide,
    may_go_on,
    most_cents,
    notice_due,
    pause_after,
)
from tests.conftest import NOW

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
BLOCK = Block(credits=100, cents=500, most=200)
LIMITS = Limits(
    threshold=500,
    blocks=3,
    largest_charge_cents=5_000,
    monthly_cap_cents=10_000,
    monthly_cap_count=10,
)
SHORT = Figures(at=NOW, available=400)


def outcome(limits: Limits = LIMITS, **figures):
    return decide(replace(SHORT, **figures), limits, BLOCK)


def reason(limits: Limits = LIMITS, **figures) -> SkipReason:
    decision = outcome(limits, **figures)
    assert isinstance(decision, Skip)
    return decision.reason


class TestThreshold:
    @pytest.mark.parametrize(
        ("available", "is_short"), [(499, True), (500, False), (501, False), (0, True)]
    )
    def test_is_the_first_amount_that_is_enough(self, available, is_short):
        assert isinstance(outcome(available=available), Reload) is is_short

    def test_does_not_matter_to_a_job_that_needs_more(self):
        assert outcome(available=600, needed=700) == Reload(6)

    def test_a_job_that_could_be_charged_needs_nothing(self):
        assert outcome(available=600, needed=600) == Enough()


class TestSize:
    def test_is_the_chosen_number_of_blocks(self):
        assert outcome() == Reload(3)

    def test_covers_the_gap_to_the_threshold(self):
        assert outcome(available=0) == Reload(5)

    def test_covers_what_a_job_needs_and_the_threshold(self):
        assert outcome(available=100, needed=350) == Reload(8)

    def test_is_rounded_up_to_whole_blocks(self):
        assert outcome(available=99) == Reload(5)
        assert outcome(available=100) == Reload(4)

    def test_never_exceeds_the_largest_charge(self):
        assert outcome(available=0, needed=800) == Reload(10)

    def test_never_exceeds_an_order(self):
        few = replace(BLOCK, most=4)

        assert decide(replace(SHORT, available=0), LIMITS, few) == Reload(4)

    def test_shrinks_to_what_the_cap_leaves(self):
        assert outcome(month=Month(cents=9_000, count=2)) == Reload(2)

    def test_is_none_when_it_would_not_help_the_job(self):
        assert reason(available=0, needed=1_001) == SkipReason.NEEDS_MORE
        assert outcome(available=0, needed=1_000) == Reload(10)

    def test_is_none_when_a_block_is_dearer_than_a_charge_may_be(self):
        modest = replace(LIMITS, largest_charge_cents=499)

        assert reason(modest) == SkipReason.LARGEST_CHARGE


class TestHindrances:
    @pytest.mark.parametrize(
        ("figures", "expected"),
        [
            ({"sells_blocks": False}, SkipReason.NOT_SOLD),
            ({"is_paid": False}, SkipReason.PAST_DUE),
            ({"is_frozen": True}, SkipReason.FROZEN),
            ({"debt": 1}, SkipReason.DEBT),
            ({"plan_ends_at": NOW + 3 * DAY}, SkipReason.PLAN_ENDING),
            ({"is_bill_coming": True}, SkipReason.BILL_COMING),
            ({"is_suspended": True}, SkipReason.SUSPENDED),
        ],
    )
    def test_stand_against_any_charge(self, figures, expected):
        assert reason(**figures) == expected
        assert may_go_on(replace(SHORT, **figures), LIMITS, BLOCK, blocks=3) == Skip(
            expected
        )

    def test_of_a_plan_that_ends_later_there_is_none(self):
        assert outcome(plan_ends_at=NOW + 3 * DAY + SECOND) == Reload(3)

    def test_do_not_matter_while_there_is_enough(self):
        assert outcome(available=500, is_paid=False) == Enough()


class TestCoolOff:
    def test_is_a_minute(self):
        almost = outcome(reloaded_at=(NOW - 59 * SECOND,))

        assert almost == Skip(SkipReason.COOL_OFF, NOW + SECOND)
        assert outcome(reloaded_at=(NOW - 60 * SECOND,)) == Reload(3)

    def test_allows_three_in_ten_minutes(self):
        last = tuple(NOW - minutes * 60 * SECOND for minutes in (2, 4, 9))

        assert outcome(reloaded_at=last) == Skip(SkipReason.COOL_OFF, NOW + 60 * SECOND)
        assert outcome(reloaded_at=last[:2]) == Reload(3)

    def test_counts_no_reload_of_ten_minutes_ago(self):
        last = tuple(NOW - minutes * 60 * SECOND for minutes in (2, 4, 10))

        assert outcome(reloaded_at=last) == Reload(3)

    def test_lasts_until_credits_are_used_again(self):
        earlier = {"reloaded_at": (NOW - DAY,), "has_used_since": False}

        assert reason(**earlier) == SkipReason.NOTHING_USED
        assert outcome(**earlier, needed=600) == Reload(7)


class TestCaps:
    def test_of_money_leave_no_block(self):
        assert reason(month=Month(cents=9_501, count=1)) == SkipReason.CAP_MONEY

    def test_of_number_are_inclusive(self):
        assert outcome(month=Month(cents=0, count=9)) == Reload(3)
        assert reason(month=Month(cents=0, count=10)) == SkipReason.CAP_COUNT

    def test_hold_for_a_charge_that_was_begun_before(self):
        month = Month(cents=9_000, count=1)

        found = may_go_on(replace(SHORT, month=month), LIMITS, BLOCK, blocks=3)

        assert found == Skip(SkipReason.CAP_MONEY)

    def test_hold_for_a_charge_that_became_too_large(self):
        modest = replace(LIMITS, largest_charge_cents=1_499)

        assert may_go_on(SHORT, modest, BLOCK, blocks=3) == Skip(
            SkipReason.LARGEST_CHARGE
        )

    def test_are_never_exceeded_whatever_happens(self):
        random = Random(45)  # noqa: S311
        for _ in range(2_000):
            largest = random.randint(500, 8_000)
            limits = Limits(
                threshold=random.randint(1, 900),
                blocks=random.randint(1, 20),
                largest_charge_cents=largest,
                monthly_cap_cents=largest + random.randint(0, 9_000),
                monthly_cap_count=random.randint(1, 6),
            )
            self.live_through_a_month(limits, random)

    def live_through_a_month(self, limits: Limits, random: Random) -> None:
        month, announced = Month(), most_cents(limits, BLOCK, Month())
        for _ in range(12):
            figures = Figures(
                at=NOW,
                available=random.randint(0, 600),
                needed=random.choice([0, random.randint(1, 2_000)]),
                month=month,
            )
            decision = decide(figures, limits, BLOCK)
            if isinstance(decision, Reload):
                cents = decision.blocks * BLOCK.cents
                assert cents <= limits.largest_charge_cents
                assert may_go_on(figures, limits, BLOCK, blocks=decision.blocks) is None
                month = Month(month.cents + cents, month.count + 1)
        assert month.cents <= announced <= limits.monthly_cap_cents
        assert month.count <= limits.monthly_cap_count


class TestGoingOn:
    def test_is_not_needed_once_there_is_enough(self):
        figures = replace(SHORT, available=500)

        assert may_go_on(figures, LIMITS, BLOCK, blocks=3) == Enough()

    def test_does_not_wait_again(self):
        figures = replace(SHORT, reloaded_at=(NOW,), has_used_since=False)

        assert may_go_on(figures, LIMITS, BLOCK, blocks=3) is None


class TestMostCents:
    def test_is_the_cap_in_whole_blocks(self):
        assert most_cents(LIMITS, BLOCK, Month()) == 10_000
        odd = replace(LIMITS, monthly_cap_cents=10_499)
        assert most_cents(odd, BLOCK, Month()) == 10_000

    def test_is_less_when_few_charges_are_left(self):
        assert most_cents(LIMITS, BLOCK, Month(cents=1_000, count=9)) == 5_000

    def test_is_nothing_at_the_cap(self):
        assert most_cents(LIMITS, BLOCK, Month(cents=10_000, count=2)) == 0


class TestNotices:
    @pytest.mark.parametrize(
        ("before", "after", "percent"),
        [
            (7_999, 8_000, 80),
            (8_000, 8_900, None),
            (7_000, 9_000, 90),
            (0, 10_000, 100),
            (10_000, 10_000, None),
        ],
    )
    def test_come_once_for_each_part(self, before, after, percent):
        found = notice_due(LIMITS, before=Month(before, 1), after=Month(after, 1))

        assert found == percent

    def test_count_charges_too(self):
        assert notice_due(LIMITS, before=Month(0, 7), after=Month(0, 8)) == 80


class TestDeclines:
    @pytest.mark.parametrize(
        ("code", "advice", "meaning"),
        [
            ("authentication_required", "", Decline.ACTION),
            ("insufficient_funds", "", Decline.SOFT),
            ("insufficient_funds", "do_not_try_again", Decline.HARD),
            ("stolen_card", "", Decline.HARD),
            ("stolen_card", "try_again_later", Decline.HARD),
            ("expired_card", "", Decline.HARD),
            ("card_removed", "", Decline.HARD),
            ("generic_decline", "", Decline.UNKNOWN),
            ("generic_decline", "try_again_later", Decline.SOFT),
            ("generic_decline", "confirm_card_data", Decline.HARD),
            ("something_new", "", Decline.UNKNOWN),
        ],
    )
    def test_mean(self, code, advice, meaning):
        assert classify(decline_code=code, advice_code=advice) is meaning

    @pytest.mark.parametrize(
        ("declines", "meaning", "pause"),
        [
            (1, Decline.SOFT, HOUR),
            (2, Decline.SOFT, DAY),
            (3, Decline.SOFT, None),
            (1, Decline.UNKNOWN, HOUR),
            (2, Decline.UNKNOWN, None),
            (1, Decline.HARD, None),
            (2, Decline.HARD, None),
        ],
    )
    def test_are_followed_by_a_pause_or_the_end(self, declines, meaning, pause):
        assert pause_after(declines, meaning) == pause
