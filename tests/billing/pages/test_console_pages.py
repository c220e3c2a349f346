"""The console in a browser: found, an account on one page, its timeline."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import auditing, keys
from accounts.models import Scope
from accounts.roles import StaffGroup
from billing.views import staff_accounts
from credits import ledger
from credits.models import Freeze, GrantSource
from tests.billing.pages.conftest import get
from tests.billing.queued import held, top_up, unbilled, wallet_of
from tests.billing.refunds import LATER, bought
from tests.conftest import NOW
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    monkeypatch.setattr(staff_accounts, "now", lambda: LATER)


@pytest.fixture
def support(client, db):
    client.force_login(make_staff(StaffGroup.SUPPORT))
    return client


def find(browser, text: str):
    return browser.get(reverse("billing:staff_accounts"), {"q": text})


class TestFind:
    def test_goes_straight_to_what_an_id_names(self, support, business):
        answer = find(support, f" {business.public_id} ")

        assert answer.url == reverse("billing:staff_account", args=[business.public_id])

    def test_lists_accounts_with_plan_balance_and_why(self, support, business, alice):
        page = get(support, "staff_accounts", q="alice@example.com")

        assert "member alice@example.com" in page
        assert "Business" in page
        assert "1,500" in page

    def test_shows_what_to_know_of_each(self, support, business):
        unbilled(business)
        keys.issue(name="Renderer", scopes=list(Scope), account=business, at=NOW)

        page = get(support, "staff_accounts", q="northwind")

        assert "1 unbilled job" in page
        assert "1 API key" in page

    def test_says_where_an_older_job_is_found(self, support, db):
        page = get(support, "staff_accounts", q="r-1")

        assert "among the latest 200,000 movements" in page

    def test_of_many_asks_as_often_as_of_one(
        self, support, business, django_assert_max_num_queries
    ):
        for number in range(20):
            account = make_account(f"Studio {number}")
            ledger.open_wallet(account_id=account.pk, at=NOW)

        with django_assert_max_num_queries(30):
            find(support, "studio")

    @pytest.mark.parametrize("name", ["accounts:staff_home", "billing:staff_accounts"])
    def test_is_offered_once_on_each_page(self, support, business, name):
        home = support.get(reverse(name)).content.decode()
        account = get(support, "staff_account", business.public_id)

        assert home.count("data-find") == account.count("data-find") == 1

    def test_is_not_offered_to_those_who_may_not(self, client, db):
        client.force_login(make_staff())

        answer = client.get(reverse("accounts:staff_home"))

        assert "data-find" not in answer.content.decode()


class TestAccount:
    def test_shows_grants_in_the_order_of_use_and_why_they_are_frozen(
        self, support, business
    ):
        top_up(business, 50, at=NOW)
        wallet = wallet_of(business)
        promo = wallet.grants.get(source=GrantSource.PROMO)
        ledger.freeze(
            grant_id=promo.pk,
            freeze=Freeze.DISPUTE,
            idempotency_key="freeze",
            actor="test",
            reason="",
            at=NOW,
        )

        page = get(support, "staff_account", business.public_id)

        assert page.index("Monthly credits") < page.index("Promotional credits")
        assert "Frozen: The payment is disputed" in page

    def test_shows_people_plan_and_payments(self, support, wire, business, alice):
        purchase = bought(wire, business, alice)

        page = get(support, "staff_account", business.public_id)

        assert "alice@example.com" in page
        assert "Business, monthly" in page
        assert purchase.public_id in page

    def test_shows_what_happened_of_late(self, support, business):
        held(business, 10, key="render-7")

        page = get(support, "staff_account", business.public_id)

        assert "render-7" in page

    def test_on_free_is_shown_too(self, support, db):
        account = make_account()

        assert "there is nothing to cancel" in get(
            support, "staff_account", account.public_id
        )

    def test_offers_what_the_viewer_may(self, client, support, business):
        address = reverse("billing:staff_preview_cancel", args=[business.public_id])
        assert address not in get(support, "staff_account", business.public_id)

        client.force_login(make_staff(StaffGroup.ADMIN))

        assert address in get(client, "staff_account", business.public_id)


class TestTimeline:
    @pytest.fixture
    def acted(self, business):
        for minute in range(staff_accounts.timeline.PAGE_SIZE + 5):
            auditing.record(
                action="plan.looked_at",
                actor="ada@purser.example",
                account=business,
                before={"seen": minute},
                after={"seen": minute + 1},
                at=NOW + timedelta(seconds=minute),
            )
        return business

    def test_is_read_page_by_page(self, support, acted):
        address = reverse("billing:staff_timeline", args=[acted.public_id])

        first = support.get(address, {"family": "ACTIONS"})
        second = support.get(address + first.context["older_url"])

        assert len(first.context["rows"]) == 40
        assert len(second.context["rows"]) == 6  # and the beginning of its plan
        assert 'rel="prev"' in second.content.decode()

    def test_shows_one_family(self, support, acted):
        page = get(support, "staff_timeline", acted.public_id, family="LEDGER")

        assert "Monthly credits" in page
        assert "plan.looked_at" not in page

    def test_shows_one_job(self, support, business):
        hold = held(business, 10, key="one")
        held(business, 10, key="other")

        page = get(support, "staff_timeline", business.public_id, job=hold.public_id)

        assert "one" in page
        assert "other" not in page

    def test_with_nonsense_in_its_address_begins_at_the_top(self, support, acted):
        page = get(
            support, "staff_timeline", acted.public_id, before="x~1", family="NONE"
        )

        assert "plan.looked_at" in page
