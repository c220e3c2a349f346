"""Subscriptions: how they begin, and what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from tests.sandbox.conftest import at

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
FAILS = "pm_card_chargeCustomerFail"
WANTS_3DS = "pm_card_authenticationRequired"


class TestCreate:
    def test_pays_the_first_period_at_once(self, wire, plan, subscribe):
        wire.at(START)

        subscription = subscribe(plan(), expand=["latest_invoice"])

        invoice = subscription.latest_invoice
        assert subscription.status == "active"
        assert (invoice.status, invoice.amount_paid) == ("paid", 2900)
        assert invoice.billing_reason == "subscription_create"

    def test_keeps_the_period_on_the_item(self, wire, plan, subscribe):
        wire.at(START)

        [item] = subscribe(plan()).items.data

        assert at(item.current_period_start) == START
        assert at(item.current_period_end) == datetime(2026, 2, 28, 12, tzinfo=UTC)

    def test_is_in_flexible_billing_mode(self, plan, subscribe):
        assert subscribe(plan()).billing_mode.type == "flexible"

    def test_tells_its_events(self, wire, plan, subscribe):
        price = plan()
        before = len(wire.events())

        subscribe(price)

        told = [event["type"] for event in wire.events()[before:]]
        assert told == [
            "payment_method.attached",
            "customer.updated",
            "invoice.created",
            "customer.subscription.created",
            "payment_intent.created",
            "invoice.finalized",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice_payment.paid",
            "invoice.updated",
            "invoice.paid",
            "customer.subscription.updated",
            "invoice.payment_succeeded",
            "charge.updated",
        ]

    def test_begins_incomplete(self, wire, plan, subscribe):
        subscribe(plan())

        [created] = wire.events("customer.subscription.created")
        [updated] = wire.events("customer.subscription.updated")

        assert created["data"]["object"]["status"] == "incomplete"
        assert updated["data"]["previous_attributes"] == {"status": "incomplete"}

    def test_carries_its_metadata_to_the_invoice(self, plan, subscribe):
        subscription = subscribe(
            plan(), metadata={"org": "7"}, expand=["latest_invoice"]
        )

        details = subscription.latest_invoice.parent.subscription_details
        assert details.subscription == subscription.id
        assert details.metadata.to_dict() == {"org": "7"}

    def test_of_a_free_price_needs_no_card(self, client, alice, plan):
        subscription = client.v1.subscriptions.create(
            {
                "customer": alice.id,
                "items": [{"price": plan(0).id}],
                "expand": ["latest_invoice.payments"],
            }
        )

        assert subscription.status == "active"
        assert subscription.latest_invoice.status == "paid"
        assert subscription.latest_invoice.payments.data == []

    def test_needs_a_card(self, client, alice, plan):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscriptions.create(
                {"customer": alice.id, "items": [{"price": plan().id}]}
            )

        assert caught.value.code == "resource_missing"
        assert "no attached payment source" in caught.value.user_message
        assert client.v1.subscriptions.list().data == []

    def test_takes_no_one_time_price(self, block, subscribe):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            subscribe(block)

        assert caught.value.param == "items[0][price]"

    @pytest.mark.parametrize(
        "params",
        [
            {"collection_method": "send_invoice", "days_until_due": 30},
            {"billing_mode": {"type": "classic"}},
            {"backdate_start_date": 1},
        ],
    )
    def test_says_what_the_sandbox_does_not_do(self, plan, subscribe, params):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            subscribe(plan(), **params)

        assert caught.value.code == "sandbox_unsupported"

    def test_can_be_cut_short_by_an_anchor(self, wire, plan, subscribe):
        wire.at(datetime(2026, 4, 16, tzinfo=UTC))
        first = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())

        subscription = subscribe(
            plan(3000), billing_cycle_anchor=first, expand=["latest_invoice"]
        )

        assert subscription.latest_invoice.amount_paid == 1500
        assert subscription.items.data[0].current_period_end == first

    def test_cut_short_without_proration_costs_nothing_yet(self, wire, plan, subscribe):
        wire.at(datetime(2026, 4, 16, tzinfo=UTC))
        first = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())

        subscription = subscribe(
            plan(3000),
            billing_cycle_anchor=first,
            proration_behavior="none",
            expand=["latest_invoice"],
        )

        assert (subscription.status, subscription.latest_invoice.total) == ("active", 0)


class TestFirstPaymentFails:
    def test_leaves_it_incomplete(self, plan, subscribe):
        subscription = subscribe(plan(), FAILS, expand=["latest_invoice"])

        assert subscription.status == "incomplete"
        assert subscription.latest_invoice.status == "open"
        assert subscription.latest_invoice.next_payment_attempt is None

    def test_makes_nothing_with_error_if_incomplete(
        self, client, wire, plan, subscribe
    ):
        with pytest.raises(stripe.CardError) as caught:
            subscribe(plan(), FAILS, payment_behavior="error_if_incomplete")

        assert caught.value.code == "card_declined"
        assert client.v1.subscriptions.list({"status": "all"}).data == []
        assert wire.events("customer.subscription.created") == []
        assert client.v1.invoices.list().data == []

    def test_keeps_the_failed_charge_with_error_if_incomplete(
        self, client, wire, plan, subscribe
    ):
        with pytest.raises(stripe.CardError) as caught:
            subscribe(plan(), FAILS, payment_behavior="error_if_incomplete")

        [charge] = client.v1.charges.list().data
        intent = client.v1.payment_intents.retrieve(charge.payment_intent)
        assert (charge.status, charge.amount) == ("failed", 2900)
        assert caught.value.json_body["error"]["charge"] == charge.id
        assert intent.status == "requires_payment_method"
        assert len(wire.events("charge.failed")) == 1

    def test_is_made_good_by_paying_the_invoice(self, client, plan, subscribe):
        subscription = subscribe(plan(), FAILS)

        client.v1.invoices.pay(
            subscription.latest_invoice, {"payment_method": "pm_card_visa"}
        )

        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"

    def test_expires_after_23_hours(self, client, wire, plan, subscribe):
        wire.at(START)
        subscription = subscribe(plan(), FAILS)
        wire.at(START + timedelta(hours=23) - timedelta(seconds=1))
        before = client.v1.subscriptions.retrieve(subscription.id)
        wire.at(START + timedelta(hours=23))

        after = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

        assert (before.status, after.status) == ("incomplete", "incomplete_expired")
        assert after.latest_invoice.status == "void"

    def test_asks_for_3ds(self, client, wire, plan, subscribe):
        subscription = subscribe(plan(), WANTS_3DS, expand=["latest_invoice.payments"])
        [payment] = subscription.latest_invoice.payments.data
        intent = client.v1.payment_intents.retrieve(payment.payment.payment_intent)

        assert (subscription.status, intent.status) == ("incomplete", "requires_action")
        assert len(wire.events("invoice.payment_action_required")) == 1

    def test_with_default_incomplete_waits_for_the_browser(
        self, client, plan, subscribe
    ):
        subscription = subscribe(
            plan(),
            payment_behavior="default_incomplete",
            expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
        )
        invoice = subscription.latest_invoice
        intent_id = invoice.payments.data[0].payment.payment_intent

        client.v1.payment_intents.confirm(intent_id)

        assert subscription.status == "incomplete"
        assert invoice.confirmation_secret.client_secret.startswith(intent_id)
        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"

    def test_keeps_the_card_that_paid_when_asked_to(self, client, plan, subscribe):
        subscription = subscribe(
            plan(),
            payment_behavior="default_incomplete",
            payment_settings={"save_default_payment_method": "on_subscription"},
        )
        paid = client.v1.invoices.pay(subscription.latest_invoice)

        after = client.v1.subscriptions.retrieve(subscription.id)
        assert paid.status == "paid"
        assert after.default_payment_method is not None


class TestTrial:
    def test_costs_nothing_until_it_ends(self, client, wire, plan, subscribe):
        wire.at(START)
        subscription = subscribe(
            plan(), trial_period_days=14, expand=["latest_invoice"]
        )
        wire.at(START + timedelta(days=14, hours=1))

        after = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

        assert (subscription.status, subscription.latest_invoice.total) == (
            "trialing",
            0,
        )
        assert (after.status, after.latest_invoice.amount_paid) == ("active", 2900)
        assert at(after.billing_cycle_anchor) == START + timedelta(days=14)

    def test_is_told_three_days_before(self, wire, plan, subscribe):
        wire.at(START)
        subscribe(plan(), trial_period_days=14)
        wire.at(START + timedelta(days=14))

        [told] = wire.events("customer.subscription.trial_will_end")

        assert at(told["created"]) == START + timedelta(days=11)

    def test_ends_at_once_when_asked_to(self, client, wire, plan, subscribe):
        wire.at(START)
        subscription = subscribe(plan(), trial_period_days=14)
        wire.at(START + timedelta(days=2))

        ended = client.v1.subscriptions.update(
            subscription.id, {"trial_end": "now", "expand": ["latest_invoice"]}
        )

        assert (ended.status, ended.latest_invoice.amount_paid) == ("active", 2900)
        assert at(ended.billing_cycle_anchor) == START + timedelta(days=2)

    def test_lets_the_price_change_for_nothing(self, client, plan, subscribe):
        subscription = subscribe(plan(), trial_period_days=14)
        item = {"id": subscription.items.data[0].id, "price": plan(9900).id}

        changed = client.v1.subscriptions.update(
            subscription.id,
            {"items": [item], "proration_behavior": "always_invoice"},
        )

        assert (changed.status, changed.trial_end) == (
            "trialing",
            subscription.trial_end,
        )
        assert changed.latest_invoice == subscription.latest_invoice
        assert client.v1.invoice_items.list().data == []

    @pytest.mark.parametrize(
        ("then", "status"), [("cancel", "canceled"), ("pause", "paused")]
    )
    def test_without_a_card_ends_as_declared(
        self, client, wire, alice, plan, then, status
    ):
        wire.at(START)
        subscription = client.v1.subscriptions.create(
            {
                "customer": alice.id,
                "items": [{"price": plan().id}],
                "trial_period_days": 7,
                "trial_settings": {"end_behavior": {"missing_payment_method": then}},
            }
        )
        wire.at(START + timedelta(days=7))

        assert client.v1.subscriptions.retrieve(subscription.id).status == status

    def test_paused_is_resumed_in_a_new_period(
        self, client, wire, alice, plan, put_card
    ):
        wire.at(START)
        pause = {"end_behavior": {"missing_payment_method": "pause"}}
        subscription = client.v1.subscriptions.create(
            {
                "customer": alice.id,
                "items": [{"price": plan().id}],
                "trial_period_days": 7,
                "trial_settings": pause,
            }
        )
        wire.at(START + timedelta(days=20))
        put_card(alice)

        resumed = client.v1.subscriptions.resume(subscription.id)

        assert resumed.status == "active"
        assert at(resumed.items.data[0].current_period_start) == START + timedelta(20)
        assert len(wire.events("customer.subscription.resumed")) == 1


class TestList:
    def test_leaves_out_what_ended(self, client, plan, subscribe):
        live, ended = subscribe(plan()), subscribe(plan())
        client.v1.subscriptions.cancel(ended.id)

        listed = client.v1.subscriptions.list().data
        everything = client.v1.subscriptions.list({"status": "all"}).data
        only_ended = client.v1.subscriptions.list({"status": "ended"}).data

        assert [each.id for each in listed] == [live.id]
        assert [each.id for each in everything] == [ended.id, live.id]
        assert [each.id for each in only_ended] == [ended.id]

    def test_finds_by_customer_and_price(self, client, alice, plan, subscribe):
        creator, pro = plan(), plan(9900)
        first = subscribe(creator)
        subscribe(pro)

        found = client.v1.subscriptions.list(
            {"customer": alice.id, "price": creator.id}
        )

        assert [each.id for each in found.data] == [first.id]
