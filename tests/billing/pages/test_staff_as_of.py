"""The staff page of a wallet as of any instant."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import StaffGroup
from billing.views import staff_as_of
from credits import ledger
from credits.models import WalletUnit
from tests.conftest import NOW
from tests.credits.usage_jobs import line, use
from tests.factories import make_account, make_staff, make_wallet

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def account(db):
    return make_account("Northwind", time_zone="Europe/Berlin")


@pytest.fixture
def wallet(account):
    """Half of it ends after a day; of the rest a job uses 20."""
    wallet = make_wallet(account, {"a": (30, DAY), "b": (50, None)})
    use(wallet, line(credits=20), member="ann@x.example", at=NOW + HOUR)
    return wallet


@pytest.fixture
def path(account):
    return reverse("billing:staff_as_of", args=[account.public_id])


@pytest.fixture
def browser(client, wallet):
    client.force_login(make_staff(StaffGroup.SUPPORT))
    return client


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def figures_at(browser, path, **query) -> list[int]:
    return [amount for _, amount, _ in browser.get(path, query).context["figures"]]


class TestInstant:
    @pytest.mark.parametrize(
        ("at", "posted"),
        [
            ("2026-03-10T11:59:59", 0),  # of Berlin, an hour ahead of UTC
            ("2026-03-10T13:00", 80),
            ("2026-03-10T13:00:00Z", 60),
            ("2026-03-11T12:59:59.999999", 60),
            ("2026-03-11T13:00:00", 50),
            ("2199-01-01T00:00", 50),
            ("", 50),
        ],
    )
    def test_is_of_the_time_zone_of_the_account(self, browser, path, at, posted):
        assert figures_at(browser, path, at=at)[0] == posted

    def test_may_be_as_known_at_another(self, browser, path, wallet):
        ledger.expire_wallet(wallet_id=wallet.pk, at=NOW + 9 * DAY)
        ended = {"at": "2026-03-11T13:00:00"}

        assert figures_at(browser, path, **ended)[0] == 50
        assert figures_at(browser, path, **ended, known="2026-03-19T12:59")[0] == 60
        assert figures_at(browser, path, **ended, known="2026-03-19T13:00")[0] == 50

    def test_that_makes_no_sense_is_said_to_make_none(self, browser, path):
        text = text_of(browser.get(path, {"at": "2026-02-30T10:00"}))

        assert "Enter a valid date/time." in text

    def test_stays_in_the_form_as_people_read_it(self, browser, path):
        text = text_of(browser.get(path, {"at": "2026-03-10T13:00:00Z"}))

        assert 'value="2026-03-10T14:00:00"' in text
        assert "by 10 Mar 2026, 14:00 UTC+1" in text


class TestExplanation:
    def test_of_each_figure_is_a_link_away(self, browser, path):
        page = browser.get(path, {"at": "2026-03-10T15:00"})

        for _, amount, url in page.context["figures"]:
            explained = browser.get(path + url).context["explained"]
            assert explained.total == amount
            assert explained.total == sum(one.change for one in explained.entries)

    def test_of_each_grant_is_a_link_away(self, browser, path):
        page = browser.get(path, {"at": "2026-03-10T15:00"})

        assert len(page.context["grants"]) == 2
        for grant, url in page.context["grants"]:
            assert browser.get(path + url).context["explained"].total == grant.remaining

    def test_opens_kind_by_kind_and_page_by_page(
        self, browser, path, wallet, monkeypatch
    ):
        monkeypatch.setattr(staff_as_of, "_LISTED", 5)
        for _ in range(9):
            use(wallet, line(), at=NOW + 2 * DAY)
        page = browser.get(path, {"figure": "available"})
        [url] = [u for share, u in page.context["kinds"] if share.kind == "SPEND"]

        jobs = browser.get(path + url)
        older = browser.get(path + jobs.context["older_url"])

        assert [len(p.context["explained"].entries) for p in (jobs, older)] == [5, 5]
        assert older.context["older_url"] == ""
        assert "ann@x.example" in text_of(older)

    @pytest.mark.parametrize(
        "query",
        [
            {"figure": "x"},
            {"figure": "posted", "kind": "x", "before": "-1"},
            {"grant": "99999999999999999999"},
            {"grant": "4000000", "kind": "SPEND", "before": "7"},
        ],
    )
    def test_survives_what_makes_no_sense(self, browser, path, query):
        assert browser.get(path, query).status_code == 200


class TestWallets:
    def test_can_be_two(self, browser, path, wallet):
        ledger.open_wallet(
            account_id=wallet.account_id, unit=WalletUnit.PREMIUM, at=NOW
        )

        page = browser.get(path, {"unit": "PREMIUM"})

        assert "Premium credits" in text_of(page)
        assert page.context["then"].entries == 0

    def test_of_an_account_that_is_not_there_are_not_found(self, browser):
        path = reverse("billing:staff_as_of", args=["acc_none"])

        assert browser.get(path).status_code == 404
