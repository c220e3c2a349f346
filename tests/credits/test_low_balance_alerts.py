"""Low balances: told once for each threshold and cycle."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.models import Notice, Role
from credits import statements
from credits.models import Alert, AlertKind, SpendingBlock
from tests.conftest import NOW
from tests.credits.watching import (
    CYCLE,
    DAY,
    INSTANT,
    NEXT_CYCLE,
    begin_cycle,
    end_plan,
    grant,
    hold,
    look,
    spend,
    subjects,
    thresholds,
    watch,
)
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates")


@pytest.fixture
def account(db):
    account = make_account("Northwind")
    make_member(account, Role.OWNER, "alice@example.com")
    return account


@pytest.fixture
def wallet(account):
    """100 credits of a paid cycle; warned below 500 and below 50."""
    wallet = make_wallet(account, {"plan": (100, None)}, way_forward="Buy more.")
    begin_cycle(wallet, *CYCLE)
    watch(wallet, thresholds=[500, 50])
    return wallet


class TestLowBalance:
    def test_is_told_with_the_figures_of_the_balance(self, wallet):
        grant(wallet, 20, NOW + 3 * DAY)

        assert look() == 1

        [notice] = Notice.objects.all()
        available = statements.balance_of(wallet.pk, at=NOW).available
        assert notice.subject == f"Northwind has {available} credits left"
        assert "less than 500 credits" in notice.text
        assert "The cycle ends on 1 Apr 2026." in notice.text
        assert "20 credits, until 13 Mar 2026, 12:00 UTC" in notice.text
        assert "Buy more." in notice.text
        assert "120 credits" in notice.html

    def test_is_recorded_with_its_cycle(self, wallet):
        look()

        alert = Alert.objects.get()
        assert (alert.kind, alert.threshold) == (AlertKind.LOW_BALANCE, 500)
        assert (alert.credits, alert.raised_at) == (100, NOW)
        assert (alert.window_starts_at, alert.window_ends_at) == CYCLE

    def test_is_told_below_the_threshold_and_not_at_it(self, wallet):
        watch(wallet, thresholds=[100])
        at_threshold = look()
        spend(wallet, 1)

        assert (at_threshold, look()) == (0, 1)

    def test_counts_what_is_held_as_gone(self, wallet):
        watch(wallet, thresholds=[100])
        hold(wallet, 1)

        assert look() == 1

    def test_is_told_once_in_a_cycle(self, wallet):
        look()

        assert look(NOW + DAY) == 0
        assert len(subjects()) == 1

    def test_is_not_told_again_when_the_balance_grew_meanwhile(self, wallet):
        look()
        grant(wallet, 1_000)
        look(NOW + DAY)
        spend(wallet, 1_000, at=NOW + DAY)

        assert look(NOW + 2 * DAY) == 0
        assert thresholds() == [500]

    def test_is_told_again_in_a_new_cycle(self, wallet):
        look()
        begin_cycle(wallet, *NEXT_CYCLE)

        assert look(NEXT_CYCLE[0]) == 1
        assert len(subjects()) == 2

    def test_of_a_late_renewal_waits_for_the_new_cycle(self, wallet):
        look()

        assert look(NEXT_CYCLE[0] + DAY) == 0

    def test_is_told_for_each_threshold(self, wallet):
        look()
        spend(wallet, 60)

        assert look() == 1
        assert thresholds() == [50, 500]
        assert subjects() == [
            "Northwind has 100 credits left",
            "Northwind has 40 credits left",
        ]

    def test_below_several_thresholds_at_once_is_one_e_mail(self, wallet):
        spend(wallet, 60)

        look()

        assert thresholds() == [50, 500]
        [notice] = Notice.objects.all()
        assert "less than 50 credits" in notice.text

    def test_of_a_higher_threshold_says_nothing_new_after_a_lower_one(self, wallet):
        spend(wallet, 60)
        look()
        watch(wallet, thresholds=[500, 200, 50])

        assert look() == 1
        assert (thresholds(), len(subjects())) == ([50, 200, 500], 1)

    def test_is_forgotten_by_nobody_who_removes_and_adds_the_threshold(self, wallet):
        look()
        watch(wallet, thresholds=[])
        look()
        watch(wallet, thresholds=[500])

        assert look() == 0

    def test_says_that_jobs_are_refused_when_nothing_is_left(self, wallet):
        spend(wallet, 100)

        look()

        text = Notice.objects.get().text
        assert "Jobs that cost credits are refused" in text

    def test_without_a_cycle_is_told_once_a_month(self, wallet):
        begin_cycle(wallet, None, None)
        april = datetime(2026, 4, 1, tzinfo=UTC)
        found = [look(at) for at in (NOW, april - INSTANT, april)]

        assert found == [1, 0, 1]
        assert Alert.objects.latest("pk").window_starts_at == april

    def test_is_not_watched_where_a_plan_uses_no_credits(self, wallet):
        begin_cycle(wallet, None, None, spending_block=SpendingBlock.NO_PAID_PLAN)

        assert look() == 0

    def test_is_not_watched_once_the_plan_is_over_though_nobody_has_said_so(
        self, wallet
    ):
        end_plan(wallet, NOW + DAY)

        assert look(at=NOW + DAY) == 0

    def test_by_a_hold_that_is_past_its_time_is_no_alert(self, wallet):
        watch(wallet, thresholds=[100])
        hold(wallet, 90)

        look(NOW + 2 * DAY)

        # What it reserved a day too long is available by now.
        assert subjects() == []
        assert look(NOW + 2 * DAY) == 0
