"""From the form to a page where blocks can be paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent
from billing import stripe_gateway
from billing.models import Customer, Purchase, PurchaseState
from billing.purchases import purchasing
from tests.billing.conftest import available, buy, on_plan
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


class TestBuyBlocks:
    def test_opens_a_checkout_page_for_the_blocks(self, wire, business, alice):
        purchase = buy(business, alice, blocks=3)

        [session] = wire.sessions()
        assert purchase.checkout_url == session["url"]
        assert (session["amount_total"], session["currency"]) == (1_500, "usd")
        assert session["metadata"] == {
            "purchase": purchase.public_id,
            "account": business.public_id,
        }

    def test_adds_no_credits(self, wire, business, alice):
        buy(business, alice)

        assert available(business) == 1_500

    def test_lets_the_buyer_change_the_number_within_the_offer(
        self, wire, business, alice
    ):
        purchase = buy(business, alice)

        [item] = (
            wire.client()
            .v1.checkout.sessions.line_items.list(purchase.stripe_session_id)
            .data
        )
        bounds = item.adjustable_quantity
        assert (bounds.minimum, bounds.maximum) == (1, 200)

    def test_leads_back_with_the_number_kept(self, wire, business, alice):
        purchase = buy(business, alice, blocks=7)

        [session] = wire.sessions()
        assert session["cancel_url"].endswith(
            f"/plan/add-ons/?blocks=7&canceled={purchase.public_id}"
        )
        assert session["success_url"].endswith(f"/purchases/{purchase.public_id}/")

    def test_closes_the_page_after_an_hour(self, wire, business, alice):
        buy(business, alice)

        [session] = wire.sessions()
        assert session["expires_at"] == int((NOW + timedelta(hours=1)).timestamp())

    def test_a_double_click_is_one_purchase_and_one_page(self, wire, business, alice):
        first = buy(business, alice, form_key="same")
        second = buy(business, alice, form_key="same", at=NOW + timedelta(seconds=1))

        assert first == second
        assert first.checkout_url == second.checkout_url
        assert len(wire.sessions()) == 1

    def test_the_same_form_with_another_number_is_another_order(
        self, wire, business, alice
    ):
        first = buy(business, alice, blocks=3, form_key="same")
        second = buy(business, alice, blocks=5, form_key="same")

        assert first != second
        assert [session["amount_total"] for session in wire.sessions()] == [
            1_500,
            2_500,
        ]

    def test_an_account_is_one_customer(self, wire, business, alice):
        buy(business, alice)
        buy(business, alice)

        [customer] = wire.client().v1.customers.list().data
        assert customer.id == Customer.objects.get(account=business).stripe_customer_id
        assert (customer.name, customer.email) == (
            "Northwind Studio",
            "alice@example.com",
        )

    def test_is_on_record(self, wire, business, alice):
        purchase = buy(business, alice, blocks=3)

        buy(business, alice, blocks=3, form_key=purchase.form_key.partition(":")[0])

        event = AuditEvent.objects.get(action="purchase.opened")
        assert (event.actor, event.target) == ("alice@example.com", purchase.public_id)
        assert event.after == {"blocks": 3, "offer": 1}


class TestRefusal:
    @pytest.mark.parametrize(
        ("plan", "sentence", "way_forward"),
        [
            (
                "free",
                "The Free plan uses no credits.",
                "Choose a paid plan.",
            ),
            (
                "creator",
                "Creator has no one-time credit purchases.",
                "Upgrade to Pro for more credits.",
            ),
            (
                "pro-1000",
                (
                    "Pro has no one-time credit purchases: "
                    "its tiers differ in credits instead."
                ),
                "Move to a higher Pro tier.",
            ),
        ],
    )
    def test_says_which_rule_and_what_else(
        self, wire, alice, plan, sentence, way_forward
    ):
        account = on_plan(plan)

        with pytest.raises(purchasing.PurchaseRefused) as refusal:
            buy(account, alice)

        why_not = refusal.value.why_not
        assert why_not == purchasing.WhyNot("R107", sentence, way_forward)

    def test_leaves_no_row_and_asks_stripe_nothing(self, wire, alice):
        account = on_plan("creator")
        asked = len(wire.http_client.requests)

        with pytest.raises(purchasing.PurchaseRefused):
            buy(account, alice)

        assert not Purchase.objects.exists()
        assert len(wire.http_client.requests) == asked

    def test_a_trial_may_buy(self, wire, business, alice):
        business.subscriptions.update(status="TRIALING")

        assert buy(business, alice).checkout_url

    @pytest.mark.parametrize("status", ["PAST_DUE", "UNPAID", "INCOMPLETE"])
    def test_a_plan_that_is_not_paid_sells_nothing(self, wire, business, alice, status):
        business.subscriptions.update(status=status)

        with pytest.raises(purchasing.PurchaseRefused, match="payment for the plan"):
            buy(business, alice)


CALLS = [
    "POST /v1/customers",
    "GET /v1/prices",
    "POST /v1/checkout/sessions",
]
# The SDK itself tries again when the connection is lost, and only then.
FAULTS = {"500": 1, "429": 1, "reset": 3, "timeout_after_commit": 3}


class TestStripeUnavailable:
    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize("fault", FAULTS)
    def test_the_purchase_waits_and_goes_on(self, wire, alice, call, fault):
        business = alice.memberships.get().account
        wire.fail_next(fault, on=call, times=FAULTS[fault])
        with pytest.raises(stripe_gateway.StripeUnavailable):
            buy(business, alice, form_key="same")
        waiting = Purchase.objects.get()
        assert (waiting.state, waiting.stripe_session_id) == ("OPEN", None)
        assert waiting.next_check_at == NOW + timedelta(minutes=1)

        purchase = buy(business, alice, form_key="same", at=NOW + timedelta(minutes=5))

        assert purchase == waiting
        assert purchase.stripe_session_id == wire.sessions()[-1]["id"]

    def test_a_page_that_was_opened_unheard_is_the_page(self, wire, business, alice):
        wire.fail_next("timeout_after_commit", on="POST /v1/checkout/sessions", times=3)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            buy(business, alice, form_key="same")
        [unheard] = wire.sessions()

        purchase = buy(business, alice, form_key="same", at=NOW + timedelta(minutes=4))

        assert purchase.stripe_session_id == unheard["id"]

    def test_a_change_of_name_in_between_changes_nothing(self, wire, business, alice):
        wire.fail_next("timeout_after_commit", on="POST /v1/customers", times=3)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            buy(business, alice, form_key="same")
        business.name = "Northwind Pictures"
        business.save()

        buy(business, alice, form_key="same")

        [customer] = wire.client().v1.customers.list().data
        assert customer.name == "Northwind Pictures"

    def test_an_order_too_old_for_a_page_is_closed(self, wire, business, alice):
        wire.fail_next("500", on="POST /v1/checkout/sessions")
        with pytest.raises(stripe_gateway.StripeUnavailable):
            buy(business, alice, form_key="same")

        purchase = buy(business, alice, form_key="same", at=NOW + timedelta(minutes=26))

        assert purchase.state == PurchaseState.EXPIRED
        assert wire.sessions() == []

    def test_a_price_that_is_not_at_stripe_yet_is_said_to_be_missing(
        self, wire, business, alice
    ):
        [price] = wire.client().v1.prices.list().data
        wire.client().v1.prices.update(price.id, {"active": False})

        with pytest.raises(stripe_gateway.PriceMissing, match="stripe_setup"):
            buy(business, alice)
