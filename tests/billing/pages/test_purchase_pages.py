"""What buyers see of their purchases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.models import Purchase, PurchaseState
from billing.purchases import settling
from billing.views import polling, purchases
from tests.billing.conftest import available, buy, on_plan
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import make_member

pytestmark = pytest.mark.django_db


class TestReturnPage:
    @pytest.fixture
    def purchase(self, wire, business, alice) -> Purchase:
        return buy(business, alice, blocks=3)

    def test_says_paid_only_when_the_credits_are_there(
        self, wire, browser, purchase, business
    ):
        waiting = get(browser, "purchase", purchase.public_id)
        assert "Waiting for the payment" in waiting
        assert "300 credits added" not in waiting

        wire.pay(purchase.stripe_session_id)
        paid = get(browser, "purchase", purchase.public_id)

        assert "300 credits added" in paid
        assert available(business) == 1_800

    def test_shows_what_was_paid_not_what_was_ordered(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id, quantity=7)

        page = get(browser, "purchase", purchase.public_id)

        assert "700 credits added" in page
        assert "$35.00" in page
        assert "10 Mar 2027" in page

    def test_links_the_receipt(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id)

        page = get(browser, "purchase", purchase.public_id)

        purchase.refresh_from_db()
        assert purchase.receipt_url in page

    def test_waits_while_stripe_is_silent(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id)
        wire.fail_next("reset", on="GET", times=3)

        page = get(browser, "purchase", purchase.public_id)

        assert "Waiting for the payment" in page

    def test_offers_the_checkout_again_while_it_is_open(self, browser, purchase):
        assert purchase.checkout_url in get(browser, "purchase", purchase.public_id)

    def test_asks_again_without_a_script(self, browser, purchase):
        page = get(browser, "purchase", purchase.public_id)

        assert '<meta http-equiv="refresh" content="10">' in page

    def test_says_plainly_that_it_was_not_completed(
        self, wire, browser, purchase, monkeypatch
    ):
        wire.at(NOW + timedelta(hours=2))

        page = get(browser, "purchase", purchase.public_id)

        assert "This purchase was not completed" in page
        assert "Nothing was charged." in page
        assert "hx-get" not in page

    def test_says_plainly_that_the_money_goes_back(
        self, wire, browser, purchase, business
    ):
        wire.pay(purchase.stripe_session_id)
        business.subscriptions.update(status="CANCELED", ended_at=NOW)

        page = get(browser, "purchase", purchase.public_id)

        assert "Your money is on its way back" in page
        assert "The plan had ended." in page

    def test_of_another_account_is_not_there(self, client, purchase):
        client.force_login(make_member(on_plan("business"), Role.OWNER))

        answers = [
            client.get(reverse(f"billing:{name}", args=[purchase.public_id]))
            for name in ("purchase", "purchase_status")
        ]

        assert [answer.status_code for answer in answers] == [404, 404]

    @pytest.mark.parametrize("public_id", ["pur_unknown", "%00", "..", "a" * 300])
    def test_of_no_purchase_is_not_there(self, browser, public_id):
        assert browser.get(f"/purchases/{public_id}/").status_code == 404


class TestStatusFragment:
    @pytest.fixture
    def purchase(self, wire, business, alice) -> Purchase:
        return buy(business, alice)

    @pytest.mark.parametrize(
        ("polls", "trigger"),
        [
            ("0", "load delay:2s"),
            ("14", "load delay:2s"),
            ("15", "load delay:10s"),
            ("41", "load delay:10s"),
            ("nonsense", "load delay:2s"),
            ("-1", "load delay:2s"),
        ],
    )
    def test_asks_often_at_first_then_patiently(
        self, browser, purchase, polls, trigger
    ):
        page = get(browser, "purchase_status", purchase.public_id, polls=polls)

        assert f'hx-trigger="{trigger}"' in page

    def test_asks_for_five_minutes_in_all(self):
        eager = polling._EAGER_POLLS * polling._EAGER_PAUSE_S
        patient = polling._PATIENT_POLLS * polling._PATIENT_PAUSE_S

        assert (eager, eager + patient) == (30, 300)

    def test_then_promises_an_email_and_names_the_purchase(self, browser, purchase):
        page = get(browser, "purchase_status", purchase.public_id, polls="42")

        assert "hx-get" not in page
        assert "e-mail you when it is settled" in page
        assert f"name {purchase.public_id}" in page

    def test_asks_stripe_nothing(self, wire, browser, purchase):
        asked = len(wire.http_client.requests)

        get(browser, "purchase_status", purchase.public_id)

        assert len(wire.http_client.requests) == asked

    def test_stops_asking_when_it_is_settled(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id)
        settling.settle(session_id=purchase.stripe_session_id, at=NOW)

        page = get(browser, "purchase_status", purchase.public_id)

        assert "hx-get" not in page
        assert "300 credits added" in page


class TestPurchases:
    def test_lists_what_came_to_something_and_what_did_not(
        self, wire, browser, business, alice
    ):
        paid, _open, expired = (buy(business, alice) for _ in range(3))
        wire.pay(paid.stripe_session_id)
        settling.settle(session_id=paid.stripe_session_id, at=NOW)
        Purchase.objects.filter(pk=expired.pk).update(state=PurchaseState.EXPIRED)

        page = get(browser, "purchases")

        assert all(
            text in page for text in ("Paid", "Waiting for payment", "Not completed")
        )

    def test_says_so_when_there_are_none(self, browser):
        assert "No purchases yet" in get(browser, "purchases")


class TestOlderPurchases:
    def test_are_on_pages_of_their_own(
        self, browser, wire, business, alice, monkeypatch
    ):
        monkeypatch.setattr(purchases, "_LISTED", 2)
        made = [buy(business, alice).public_id for _ in range(3)]

        first = get(browser, "purchases")
        second = get(browser, "purchases", before=made[1])

        assert [one for one in made if f"/purchases/{one}/" in first] == made[1:]
        assert f"?before={made[1]}" in first
        assert [one for one in made if f"/purchases/{one}/" in second] == made[:1]
        assert "Older" not in second
