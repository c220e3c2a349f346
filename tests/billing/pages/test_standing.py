"""What the overview says of a plan that is not simply paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.plans import subscribing
from credits import statements
from credits.models import Wallet
from tests.billing.pages.conftest import get
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
GONE_ON = "10 Mar 2026</time>"


def stand(business, **facts) -> None:
    """Let Stripe have said something of the plan."""
    business.subscriptions.update(**facts)
    subscribing.push_terms(business.pk, at=NOW)


class TestStanding:
    def test_is_active_while_paid(self, browser):
        assert ">Active</span>" in get(browser, "overview")

    def test_tells_of_a_renewal_that_is_being_paid(self, browser, business):
        stand(business, paid_until=NOW)

        page = get(browser, "overview")

        assert ">Renewing</span>" in page
        assert f"{GONE_ON} on is being paid." in page

    def test_warns_of_an_overdue_payment_and_until_when_credits_last(
        self, browser, business
    ):
        stand(business, status="PAST_DUE", paid_until=NOW - DAY)

        page = get(browser, "overview")

        assert ">Payment overdue</span>" in page
        assert "stay usable until" in page
        assert "16 Mar 2026</time>; new ones come with the payment." in page
        assert "Renews on" not in page
        assert "The next credits" not in page

    @pytest.mark.parametrize(
        "facts", [{"paid_until": NOW - 7 * DAY}, {"status": "UNPAID"}]
    )
    def test_says_that_nothing_can_be_used_after_grace(self, browser, business, facts):
        stand(business, **{"status": "PAST_DUE", **facts})

        assert "so credits cannot be used." in get(browser, "overview")

    def test_tells_when_it_ends_and_its_credits_with_it(self, browser, business):
        stand(business, cancel_at=NOW + 20 * DAY)

        page = get(browser, "overview")

        assert ">Ending</span>" in page
        assert "Ends on" in page
        assert "The next credits" not in page
        # Not their own date, 10 May: what ends is what the ledger will end (R110).
        assert "until 30 Mar 2026" in page
        balance = statements.balance_of(Wallet.objects.get().pk, at=NOW)
        assert balance.next_expiry_at == NOW + 20 * DAY

    def test_tells_that_it_has_ended_before_stripe_does(self, browser, business):
        stand(business, cancel_at=NOW)

        page = get(browser, "overview")

        assert ">Ended</span>" in page
        assert "Ended on <time" in page
        assert "more come on" not in page
        assert "The Free plan uses no credits." in page
