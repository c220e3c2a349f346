"""What is owed is said where it matters, and can be paid by who may buy."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.refunds.refunding import Extent
from billing.views import debt
from tests.billing.pages.conftest import get
from tests.billing.refunds import LATER, bought, refund, use, wallet_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    monkeypatch.setattr(debt, "now", lambda: LATER)


@pytest.fixture
def owing(wire, business, alice):
    purchase = bought(wire, business, alice)
    use(business, 1_570)
    refund(purchase, Extent.ALL)
    return business


class TestDebtPage:
    def test_says_what_is_owed_and_since_when(self, browser, owing):
        page = get(browser, "debt")

        assert "70 credits are owed, or $3.50" in page
        assert "Pay $3.50" in page

    def test_leads_to_the_checkout_and_back(self, browser, owing, wire):
        answer = browser.post(reverse("billing:pay_debt"))
        wire.pay(owing.debt_payments.get().stripe_session_id)

        page = get(browser, "debt")

        assert answer.status_code == 303
        assert "Nothing is owed" in page
        assert wallet_of(owing).debt == 0

    def test_refuses_to_be_paid_for_nothing(self, browser, wire):
        answer = browser.post(reverse("billing:pay_debt"), follow=True)

        assert "Nothing is owed." in answer.content.decode()

    def test_is_not_for_members(self, as_role):
        answer = as_role(Role.MEMBER).get(reverse("billing:debt"))

        assert answer.status_code == 403

    def test_keeps_quiet_when_stripe_does_not_answer(self, browser, owing, wire):
        wire.fail_next("500", on="POST /v1/checkout/sessions", times=3)

        answer = browser.post(reverse("billing:pay_debt"), follow=True)

        assert "Stripe cannot be reached" in answer.content.decode()


class TestElsewhere:
    def test_the_overview_says_so(self, browser, owing):
        assert "70 credits are owed" in get(browser, "overview")

    def test_the_purchase_shows_its_refund(self, browser, owing):
        [purchase] = owing.purchases.all()

        page = get(browser, "purchase", purchase.public_id)

        assert "Your money was returned" in page
        assert "70 credits had been used and were left owing." in page
        assert "$5.00 back" in get(browser, "purchases")
