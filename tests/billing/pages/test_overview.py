"""The overview and the plans, by plan and by role."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.views import customer
from credits import ledger
from credits.models import Wallet
from tests.billing.conftest import buy, on_plan
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import job, make_member

pytestmark = pytest.mark.django_db
# Begin and end of one, where a transaction begins in production.
SAVEPOINTS = 2


class TestOverview:
    def test_shows_what_is_available_and_what_it_is_made_of(self, browser, business):
        page = get(browser, "overview")

        assert "1,500" in page
        assert "This cycle" in page
        assert "until 10 May 2026" in page

    def test_says_when_the_plan_renews_and_for_how_much(self, browser):
        page = get(browser, "overview")

        assert "10 Apr 2026</time> for $149.00." in page

    def test_an_annual_plan_renews_once_a_year_and_grants_each_month(
        self, client, offered
    ):
        account = on_plan("business", interval="YEAR")
        client.force_login(make_member(account, Role.OWNER))

        page = get(client, "overview")

        assert "10 Mar 2027</time> for $1,476.00." in page
        assert "The next credits come on" in page

    def test_counts_the_free_videos_of_an_account_on_free(self, client, offered):
        account = on_plan("free")
        client.force_login(make_member(account, Role.OWNER))
        ledger.claim_free_video(
            wallet_id=Wallet.objects.get(account=account).pk,
            milliseconds=45_000,
            idempotency_key="a",
            actor="test",
            at=NOW,
        )

        page = get(client, "overview")

        assert "of 3 left this month" in page
        assert "Up to 1 min each. The counter starts again on" in page
        assert "1 Apr 2026, 00:00 UTC" in page

    def test_counts_no_videos_of_a_paid_plan(self, browser):
        assert "Free videos" not in get(browser, "overview")

    def test_greets_a_new_account_with_what_to_do_next(self, browser):
        assert "You have 1,500 credits until" in get(browser, "overview")

    def test_warns_when_little_is_left(self, browser, business):
        wallet = Wallet.objects.get(account=business)
        ledger.spend(job(wallet, 1_400), at=NOW)

        page = get(browser, "overview")

        assert "Only 100 credits left." in page
        assert "1,500 more come on" in page

    def test_warns_when_nothing_is_left(self, browser, business):
        wallet = Wallet.objects.get(account=business)
        ledger.spend(job(wallet, 1_500), at=NOW)

        assert "No credits left" in get(browser, "overview")

    def test_warns_when_a_payment_is_missing(self, browser, business):
        business.subscriptions.update(status="PAST_DUE")

        assert "A payment for the plan is missing" in get(browser, "overview")

    @pytest.mark.parametrize(
        ("plan", "sentence"),
        [
            ("free", "The Free plan uses no credits. Choose a paid plan."),
            ("creator", "Creator has no one-time credit purchases. Upgrade to Pro"),
            ("pro-1000", "Move to a higher Pro tier."),
        ],
    )
    def test_says_why_there_are_no_blocks_and_what_else(
        self, as_owner_on, plan, sentence
    ):
        page = get(as_owner_on(plan), "overview")

        assert sentence in page
        assert "Buy credits</a>" not in page.partition("<main")[2]

    def test_offers_a_member_nothing_that_is_refused_to_them(self, as_role):
        page = get(as_role(Role.MEMBER), "overview").partition("<main")[2]

        assert "Buy credits" not in page
        assert "Plan &amp; billing" not in page

    def test_shows_no_credits_that_have_expired(self, browser, monkeypatch):
        later = NOW + timedelta(days=100)
        monkeypatch.setattr(customer, "now", lambda: later)

        assert "0 <span" in get(browser, "overview")

    def test_asks_the_database_no_more_than_it_must(
        self, browser, django_assert_max_num_queries
    ):
        get(browser, "overview")

        with django_assert_max_num_queries(18 + SAVEPOINTS):
            get(browser, "overview")


class TestPlan:
    def test_compares_what_is_offered(self, browser):
        page = get(browser, "plan")

        assert "100,000 for $4,300.00" in page
        assert page.count("Your plan") == 1

    def test_leads_to_the_add_ons(self, browser):
        assert "Manage add-ons" in get(browser, "plan")

    def test_is_refused_to_members_with_who_may(self, as_role):
        response = as_role(Role.MEMBER).get(reverse("billing:plan"))

        assert response.status_code == 403
        roles = ("Owner", "Admin", "Billing")
        assert all(role in response.content.decode() for role in roles)

    def test_asks_the_database_no_more_than_it_must(
        self, wire, browser, business, alice, django_assert_max_num_queries
    ):
        for _ in range(4):
            buy(business, alice)
        get(browser, "plan")

        with django_assert_max_num_queries(12 + SAVEPOINTS):
            get(browser, "plan")
