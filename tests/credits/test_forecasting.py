"""How long an account's credits last, from what it used lately."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credits import forecasting, statements
from credits.core.forecast import Lapse, Pace
from tests.conftest import NOW
from tests.credits.usage_jobs import hold, line, use
from tests.factories import make_wallet

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def outlooks(wallet, *, at):
    balance = statements.balance_of(wallet.pk, at=at)
    return forecasting.outlooks_of(wallet.pk, balance, at=at)


class TestOutlooks:
    def test_take_the_pace_of_14_and_of_30_days(self):
        wallet = make_wallet(grants={"plan": (2_000, None)})
        use(wallet, line(credits=740), at=NOW + 5 * DAY)
        use(wallet, line(credits=560), at=NOW + 25 * DAY)

        fast, slow = outlooks(wallet, at=NOW + 30 * DAY)

        assert (fast.pace, slow.pace) == (Pace(560, 14), Pace(1_300, 30))
        assert (fast.days_left, slow.days_left) == (17, 16)

    def test_of_a_young_account_take_the_days_it_has(self):
        wallet = make_wallet(grants={"plan": (100, None)})
        use(wallet, line(credits=10), at=NOW + DAY)

        [only] = outlooks(wallet, at=NOW + 36 * timedelta(hours=1))

        assert only.pace == Pace(10, 2)

    def test_say_what_lapses(self):
        wallet = make_wallet(grants={"a": (420, 20 * DAY), "b": (400, None)})
        use(wallet, line(credits=140), at=NOW + 13 * DAY)

        [only] = outlooks(wallet, at=NOW + 14 * DAY)

        assert only.lapses == (Lapse(220, NOW + 20 * DAY),)
        assert only.days_left == 46
        assert not only.is_cut_short

    def test_say_when_the_last_credits_end_unused(self):
        wallet = make_wallet(grants={"a": (400, 20 * DAY)})
        use(wallet, line(credits=140), at=NOW + 13 * DAY)

        [only] = outlooks(wallet, at=NOW + 14 * DAY)

        assert (only.is_cut_short, only.runs_out_at) == (True, NOW + 20 * DAY)

    def test_do_not_count_what_is_held(self):
        wallet = make_wallet(grants={"a": (100, None)})
        use(wallet, line(credits=10), at=NOW)
        hold(wallet, 60, at=NOW)

        [only] = outlooks(wallet, at=NOW + 23 * timedelta(hours=1))

        assert only.days_left == 3

    def test_are_none_without_usage(self):
        wallet = make_wallet(grants={"plan": (100, None)})

        assert outlooks(wallet, at=NOW + 20 * DAY) == ()

    def test_take_three_queries_at_most(self, django_assert_max_num_queries):
        wallet = make_wallet(grants={"plan": (100, None)})
        balance = statements.balance_of(wallet.pk, at=NOW)

        with django_assert_max_num_queries(3):
            forecasting.outlooks_of(wallet.pk, balance, at=NOW)
