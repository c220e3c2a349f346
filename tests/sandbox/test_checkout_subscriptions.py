"""Checkout in mode `subscription`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
DECLINED = "4000000000000002"
WANTS_3DS = "4000000000003220"


@pytest.fixture
def open_plan(client, plan):
    """Open a checkout for a plan of 29 dollars a month."""

    def open_plan(price=None, **params):
        return client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [{"price": (price or plan()).id, "quantity": 1}],
                "success_url": "https://portal.example/done?s={CHECKOUT_SESSION_ID}",
                "subscription_data": {"metadata": {"org": "7"}},
                **params,
            }
        )

    return open_plan


@pytest.fixture
def finished(client):
    def finished(session):
        expand = {"expand": ["subscription.latest_invoice", "invoice"]}
        return client.v1.checkout.sessions.retrieve(session.id, expand)

    return finished


class TestCheckout:
    def test_promises_the_price(self, open_plan, alice):
        session = open_plan(customer=alice.id)

        assert (session.mode, session.status) == ("subscription", "open")
        assert (session.amount_total, session.currency) == (2900, "usd")
        assert (session.subscription, session.invoice) == (None, None)

    def test_subscribes(self, wire, alice, open_plan, finished):
        session = open_plan(customer=alice.id)

        answer = wire.pay(session.id)

        done = finished(session)
        assert answer.headers["Location"].endswith(session.id)
        assert (done.status, done.payment_status) == ("complete", "paid")
        assert (done.subscription.status, done.subscription.customer) == (
            "active",
            alice.id,
        )
        assert done.subscription.metadata.to_dict() == {"org": "7"}
        assert (done.invoice.id, done.invoice.amount_paid) == (
            done.subscription.latest_invoice.id,
            2900,
        )
        assert done.payment_intent is None

    def test_keeps_the_card_for_the_next_period(
        self, client, wire, alice, open_plan, finished
    ):
        wire.at(START)
        session = open_plan(customer=alice.id)
        wire.pay(session.id)
        wire.at(START + timedelta(days=28, hours=1))

        done = finished(session)

        [card] = client.v1.customers.payment_methods.list(alice.id).data
        assert done.subscription.default_payment_method == card.id
        assert done.subscription.latest_invoice.billing_reason == "subscription_cycle"
        assert done.subscription.latest_invoice.status == "paid"

    def test_makes_a_guest_a_customer(self, client, wire, open_plan, finished):
        session = open_plan()

        wire.pay(session.id, email="guest@x.example")

        customer = client.v1.customers.retrieve(finished(session).customer)
        assert customer.email == "guest@x.example"

    def test_tells_its_events_last(self, wire, alice, open_plan):
        session = open_plan(customer=alice.id)

        wire.pay(session.id)

        told = [event["type"] for event in wire.events()]
        assert told[-2:] == ["checkout.session.completed", "charge.updated"]
        assert told.index("customer.subscription.created") < told.index("invoice.paid")

    def test_declined_leaves_only_the_charge(
        self, client, wire, alice, open_plan, finished
    ):
        session = open_plan(customer=alice.id)

        answer = wire.pay(session.id, DECLINED)

        assert answer.status == 402
        assert finished(session).status == "open"
        assert client.v1.subscriptions.list({"status": "all"}).data == []
        assert [charge["status"] for charge in wire.charges()] == ["failed"]
        assert wire.pay(session.id).status == 303

    def test_a_free_plan_needs_no_payment(
        self, client, wire, plan, open_plan, finished
    ):
        session = open_plan(plan(0))

        wire.pay(session.id)

        done = finished(session)
        assert done.payment_status == "no_payment_required"
        assert done.subscription.status == "active"

    def test_a_trial_begins_without_payment(self, wire, open_plan, finished):
        session = open_plan(subscription_data={"trial_period_days": 14})

        wire.pay(session.id)

        done = finished(session)
        assert (session.amount_total, done.payment_status) == (0, "no_payment_required")
        assert done.subscription.status == "trialing"

    def test_the_end_of_a_trial_is_charged(
        self, client, wire, plan, open_plan, finished
    ):
        wire.at(START)
        session = open_plan(subscription_data={"trial_period_days": 14})
        wire.pay(session.id)
        done = finished(session)

        wire.at(START + timedelta(days=14, hours=1))

        after = finished(session).subscription
        assert (done.invoice.total, done.invoice.billing_reason) == (
            0,
            "subscription_create",
        )
        assert (after.status, after.latest_invoice.status) == ("active", "paid")
        assert after.latest_invoice.amount_paid == 2900
        assert after.latest_invoice.billing_reason == "subscription_cycle"
        assert [charge["amount"] for charge in wire.charges()] == [2900]


class TestChallenge:
    def test_passed_subscribes(self, wire, alice, open_plan, finished):
        session = open_plan(customer=alice.id)
        asked = wire.pay(session.id, WANTS_3DS)
        before = finished(session)

        wire.answer_challenge(session.id, approve=True)

        assert asked.headers["Location"].endswith("/authenticate")
        assert (before.status, before.subscription) == ("open", None)
        assert finished(session).subscription.status == "active"

    def test_failed_can_be_tried_again(self, client, wire, alice, open_plan, finished):
        session = open_plan(customer=alice.id)
        wire.pay(session.id, WANTS_3DS)
        refused = wire.answer_challenge(session.id, approve=False)

        wire.pay(session.id)

        everything = client.v1.subscriptions.list({"status": "all"}).data
        assert refused.status == 402
        assert finished(session).subscription.status == "active"
        assert len(everything) == 1

    def test_failed_can_be_tried_with_another_quantity(
        self, client, wire, plan, open_plan, finished
    ):
        line = {
            "price": plan().id,
            "quantity": 1,
            "adjustable_quantity": {"enabled": True, "minimum": 1},
        }
        session = open_plan(line_items=[line])
        wire.pay(session.id, WANTS_3DS)
        wire.answer_challenge(session.id, approve=False)

        wire.pay(session.id, quantity=2)

        done = finished(session)
        assert (done.invoice.amount_paid, done.subscription.status) == (5800, "active")
        assert len(client.v1.subscriptions.list().data) == 1


class TestRefused:
    @pytest.mark.parametrize(
        "params",
        [
            {"payment_intent_data": {"description": "x"}},
            {"invoice_creation": {"enabled": False}},
        ],
    )
    def test_what_belongs_to_another_mode(self, open_plan, params):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            open_plan(**params)

        assert caught.value.param == next(iter(params))

    def test_subscription_data_in_another_mode(self, open_session):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            open_session(subscription_data={"description": "x"})

        assert caught.value.param == "subscription_data"

    def test_what_the_sandbox_does_not_do(self, block, open_plan):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            open_plan(block)

        assert caught.value.code == "sandbox_unsupported"


class TestPage:
    def test_says_what_a_period_costs(self, wire, alice, open_plan):
        session = open_plan(customer=alice.id)

        page = wire.sandbox.handle("GET", f"/c/pay/{session.id}", {}).body.decode()

        assert "$29.00 per month" in page
        assert "Subscribe to" in page

    def test_of_a_trial_asks_for_nothing_today(self, wire, plan, open_plan):
        session = open_plan(plan(2900), subscription_data={"trial_period_days": 14})

        page = wire.sandbox.handle("GET", f"/c/pay/{session.id}", {}).body.decode()

        assert "<dt>Due today</dt><dd >$0.00</dd>" in page
        assert "data-total" not in page
