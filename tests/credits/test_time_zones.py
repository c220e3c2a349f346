"""Whose zone decides what: the account's counts, a user's only shows (R16, R19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from tests.conftest import NOW
from tests.credits.usage_jobs import line, use
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates")


@pytest.fixture
def wallet(db):
    """A job at noon UTC: on 10 March there, on the 11th in Auckland."""
    wallet = make_wallet(make_account("Northwind"), {"plan": (100, None)})
    use(wallet, line("look", 5, 5), at=NOW)
    return wallet


@pytest.fixture
def alice(wallet):
    return make_member(wallet.account, Role.OWNER)


@pytest.fixture
def browser(alice, clock):
    clock.advance(timedelta(days=2))
    client = Client()
    client.force_login(alice)
    return client


def date_of_the_job(browser) -> str:
    answer = browser.get(reverse("credits:usage_csv"))
    _header, row = b"".join(answer.streaming_content).decode().splitlines()
    return row.split(",")[0].strip('"\ufeff')


class TestTimeZone:
    def test_of_the_account_decides_on_which_day_usage_is_counted(
        self, browser, wallet
    ):
        in_utc = date_of_the_job(browser)
        browser.post(
            reverse("accounts:save_account"),
            {"name": "Northwind", "time_zone": "Pacific/Auckland"},
        )

        assert (in_utc, date_of_the_job(browser)) == ("2026-03-10", "2026-03-11")

    def test_of_a_user_changes_what_is_shown_and_nothing_else(self, browser):
        browser.post(
            reverse("accounts:save_profile"),
            {"name": "Alice", "time_zone": "Pacific/Auckland"},
        )

        statement = browser.get(reverse("credits:statement")).content.decode()
        assert date_of_the_job(browser) == "2026-03-10"
        assert "11 Mar 2026, 01:00 UTC+13" in statement
