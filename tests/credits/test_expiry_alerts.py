"""Expiries: told 30, 7 and 1 days ahead, once for each day of the calendar."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Notice, Role
from credits import ledger
from credits.models import Alert, GrantSource
from tests.conftest import NOW
from tests.credits.watching import (
    DAY,
    INSTANT,
    end_plan,
    grant,
    look_ahead,
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
    """30 credits that end in 40 days, of which every expiry is told."""
    wallet = make_wallet(account)
    grant(wallet, 30, NOW + 40 * DAY)
    for days in (1, 7, 30):
        look_ahead(days)
    return wallet


class TestExpiry:
    @pytest.mark.parametrize("days", [30, 7, 1])
    def test_is_told_from_the_instant_on_and_not_before(self, wallet, days):
        mark = NOW + 40 * DAY - days * DAY

        assert look_ahead(days, at=mark - INSTANT) == 0
        assert look_ahead(days, at=mark) == 1
        assert look_ahead(days, at=mark + INSTANT) == 0
        assert thresholds() == [days]

    def test_says_how_many_end_and_when(self, wallet):
        look_ahead(7, at=NOW + 33 * DAY)

        [notice] = Notice.objects.all()
        assert notice.subject == "30 credits of Northwind will expire on 19 Apr 2026"
        assert "until 19 Apr 2026, 12:00 UTC" in notice.text

    def test_is_told_by_default_and_not_when_switched_off(self, wallet):
        watch(wallet, days=[30, 1])

        assert look_ahead(7, at=NOW + 33 * DAY) == 0

    def test_of_what_was_used_is_no_news(self, wallet):
        spend(wallet, 30)

        assert look_ahead(7, at=NOW + 33 * DAY) == 0

    def test_of_one_day_of_the_accounts_calendar_is_one_e_mail(self, wallet):
        wallet.account.time_zone = "Asia/Tokyo"
        wallet.account.save()
        # 12:00 UTC is 21:00 in Tokyo: the first ends the same day, the other the next.
        grant(wallet, 5, NOW + 40 * DAY + timedelta(hours=3) - INSTANT)
        grant(wallet, 7, NOW + 40 * DAY + timedelta(hours=3))

        look_ahead(7, at=NOW + 34 * DAY)

        assert subjects() == [
            "35 credits of Northwind will expire on 19 Apr 2026",
            "7 credits of Northwind will expire on 20 Apr 2026",
        ]

    def test_of_plan_credits_is_told_of_an_earlier_end_of_the_plan(self, wallet):
        grant(wallet, 9, NOW + 60 * DAY, source=GrantSource.PLAN)
        end_plan(wallet, NOW + 20 * DAY)

        assert look_ahead(1, at=NOW + 19 * DAY - INSTANT) == 0
        assert look_ahead(1, at=NOW + 19 * DAY) == 1
        assert subjects() == ["9 credits of Northwind will expire on 30 Mar 2026"]

    def test_of_plan_credits_that_end_before_is_not_told_again(self, wallet):
        grant(wallet, 9, NOW + 60 * DAY, source=GrantSource.PLAN)
        end_plan(wallet, NOW + 20 * DAY)
        look_ahead(1, at=NOW + 19 * DAY)
        look_ahead(1, at=NOW + 40 * DAY)

        assert look_ahead(1, at=NOW + 59 * DAY) == 0

    def test_told_late_is_told_once(self, wallet):
        late = NOW + 39 * DAY + timedelta(hours=1)

        found = [look_ahead(days, at=late) for days in (1, 7, 30)]

        assert found == [1, 0, 0]

    def test_that_is_over_is_told_no_more(self, wallet):
        assert look_ahead(1, at=NOW + 40 * DAY) == 0

    def test_of_new_credits_whose_mark_has_passed_waits_for_the_next(self, wallet):
        look_ahead(30, at=NOW + 5 * DAY)
        grant(wallet, 8, NOW + 33 * DAY, at=NOW + 5 * DAY)

        assert look_ahead(30, at=NOW + 6 * DAY) == 0
        assert look_ahead(7, at=NOW + 26 * DAY) == 1

    def test_is_found_in_chunks(self, wallet):
        for name in ("A", "B"):
            other = make_wallet(make_account(name))
            grant(other, 3, NOW + 40 * DAY)
        mark = NOW + 39 * DAY

        found = [look_ahead(1, at=mark, limit=2) for _ in range(3)]

        assert found == [2, 1, 0]
        assert Alert.objects.count() == 3

    def test_of_a_moved_expiry_is_told_anew(self, wallet):
        look_ahead(1, at=NOW + 39 * DAY)
        ledger.move(
            grant_id=wallet.grants.get().pk,
            expires_at=NOW + 50 * DAY,
            idempotency_key="later",
            actor="test",
            reason="",
            at=NOW + 39 * DAY,
        )

        assert look_ahead(1, at=NOW + 49 * DAY) == 1
