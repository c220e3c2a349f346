"""Subscriptions: how they begin, what they say, how they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
FAILS = "pm_card_chargeCustomerFail"
WANTS_3DS = "pm_card_authenticationRequired"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


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


class TestCancel:
    def test_ends_now(self, client, wire, plan, subscribe):
        wire.at(START)
        subscription = subscribe(plan())
        wire.at(START + timedelta(days=3))

        ended = client.v1.subscriptions.cancel(
            subscription.id, {"cancellation_details": {"feedback": "too_expensive"}}
        )

        assert (ended.status, at(ended.ended_at)) == ("canceled", START + timedelta(3))
        assert ended.cancellation_details.reason == "cancellation_requested"
        assert ended.cancellation_details.feedback == "too_expensive"
        [told] = wire.events("customer.subscription.deleted")
        assert told["data"]["object"]["id"] == subscription.id

    def test_twice_finds_nothing(self, client, plan, subscribe):
        subscription = subscribe(plan())
        client.v1.subscriptions.cancel(subscription.id)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscriptions.cancel(subscription.id)

        assert caught.value.code == "resource_missing"

    def test_credits_unused_time_when_asked_to(
        self, client, wire, alice, plan, subscribe
    ):
        wire.at(datetime(2026, 4, 1, tzinfo=UTC))
        subscription = subscribe(plan(3000))
        wire.at(datetime(2026, 4, 11, tzinfo=UTC))

        client.v1.subscriptions.cancel(
            subscription.id, {"prorate": True, "invoice_now": True}
        )

        assert client.v1.customers.retrieve(alice.id).balance == -2000

    def test_drops_pending_prorations_otherwise(self, client, plan, subscribe):
        subscription = subscribe(plan())
        item = {"id": subscription.items.data[0].id, "quantity": 2}
        client.v1.subscriptions.update(subscription.id, {"items": [item]})

        client.v1.subscriptions.cancel(subscription.id)

        assert client.v1.invoice_items.list().data == []

    def test_leaves_only_metadata_to_change(self, client, plan, subscribe):
        subscription = subscribe(plan())
        client.v1.subscriptions.cancel(subscription.id)

        with pytest.raises(stripe.InvalidRequestError):
            client.v1.subscriptions.update(
                subscription.id, {"cancel_at_period_end": False}
            )
        changed = client.v1.subscriptions.update(
            subscription.id, {"metadata": {"why": "moved"}}
        )

        assert changed.metadata.to_dict() == {"why": "moved"}


class TestCancelAtPeriodEnd:
    def test_says_so_and_goes_on(self, client, wire, plan, subscribe):
        wire.at(START)
        subscription = subscribe(plan())
        wire.at(START + timedelta(days=3))

        ending = client.v1.subscriptions.update(
            subscription.id, {"cancel_at_period_end": True}
        )

        assert (ending.status, ending.cancel_at_period_end) == ("active", True)
        assert ending.cancel_at == ending.items.data[0].current_period_end
        assert at(ending.canceled_at) == START + timedelta(days=3)

    def test_ends_without_another_invoice(self, client, wire, plan, subscribe):
        wire.at(START)
        subscription = subscribe(plan())
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        wire.at(START + timedelta(days=40))

        ended = client.v1.subscriptions.retrieve(subscription.id)

        assert (ended.status, ended.ended_at) == ("canceled", ended.cancel_at)
        assert len(client.v1.invoices.list({"subscription": ended.id}).data) == 1
        [told] = wire.events("customer.subscription.deleted")
        assert told["created"] == ended.ended_at

    @pytest.mark.parametrize(
        "undo", [{"cancel_at_period_end": False}, {"cancel_at": ""}]
    )
    def test_is_undone(self, client, wire, plan, subscribe, undo):
        wire.at(START)
        subscription = subscribe(plan())
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

        undone = client.v1.subscriptions.update(subscription.id, undo)

        wire.at(START + timedelta(days=29))
        assert (undone.cancel_at, undone.canceled_at) == (None, None)
        assert undone.cancellation_details.reason is None
        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"

    def test_may_be_said_as_a_time(self, client, plan, subscribe):
        subscription = subscribe(plan())

        ending = client.v1.subscriptions.update(
            subscription.id, {"cancel_at": "min_period_end"}
        )

        assert not ending.cancel_at_period_end
        assert ending.cancel_at == ending.items.data[0].current_period_end

    def test_moves_with_a_new_period(self, client, plan, subscribe):
        subscription = subscribe(plan())
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        item = {"id": subscription.items.data[0].id, "price": plan(9900, "year").id}

        yearly = client.v1.subscriptions.update(subscription.id, {"items": [item]})

        assert yearly.cancel_at == yearly.items.data[0].current_period_end


class TestCancelAt:
    """At a time of one's own choice: the period ends there, and costs its part."""

    @pytest.fixture
    def april(self, wire, plan, subscribe):
        """A subscription of 30 dollars for the 30 days of April."""
        wire.at(datetime(2026, 4, 1, tzinfo=UTC))
        return subscribe(plan(3000))

    @pytest.fixture
    def cancel_at(self, client, april):
        def cancel_at(moment, **params):
            wanted = int(moment.timestamp()) if moment else ""
            return client.v1.subscriptions.update(
                april.id, {"cancel_at": wanted, **params}
            )

        return cancel_at

    def test_within_the_period_credits_the_rest(self, client, cancel_at):
        ending = cancel_at(datetime(2026, 4, 21, tzinfo=UTC))

        [item] = client.v1.invoice_items.list().data
        assert at(ending.items.data[0].current_period_end) == datetime(
            2026, 4, 21, tzinfo=UTC
        )
        assert (item.amount, item.description) == (
            -1000,
            "Unused time on Creator after 21 Apr 2026",
        )

    def test_ends_then(self, client, wire, alice, april, cancel_at):
        cancel_at(datetime(2026, 4, 21, tzinfo=UTC))
        wire.at(datetime(2026, 5, 2, tzinfo=UTC))

        ended = client.v1.subscriptions.retrieve(april.id)

        assert ended.status == "canceled"
        assert at(ended.ended_at) == datetime(2026, 4, 21, tzinfo=UTC)
        assert client.v1.customers.retrieve(alice.id).balance == -1000

    def test_is_undone_by_a_debit(self, client, wire, april, cancel_at):
        cancel_at(datetime(2026, 4, 21, tzinfo=UTC))
        wire.at(datetime(2026, 4, 11, tzinfo=UTC))

        undone = cancel_at(None)

        amounts = [item.amount for item in client.v1.invoice_items.list().data]
        assert (undone.cancel_at, sorted(amounts)) == (None, [-1000, 1000])
        assert undone.items.data[0].current_period_end == (
            april.items.data[0].current_period_end
        )

    def test_undone_leaves_all_to_be_credited(
        self, client, wire, alice, april, cancel_at
    ):
        cancel_at(datetime(2026, 4, 21, tzinfo=UTC))
        cancel_at(None)
        wire.at(datetime(2026, 4, 16, tzinfo=UTC))

        client.v1.subscriptions.cancel(april.id, {"prorate": True, "invoice_now": True})

        assert client.v1.customers.retrieve(alice.id).balance == -1500

    def test_without_proration_credits_nothing(self, client, cancel_at):
        cancel_at(datetime(2026, 4, 21, tzinfo=UTC), proration_behavior="none")

        assert client.v1.invoice_items.list().data == []

    def test_in_a_later_period_shortens_that(self, client, wire, april, cancel_at):
        cancel_at(datetime(2026, 5, 11, tzinfo=UTC))
        wire.at(datetime(2026, 5, 2, tzinfo=UTC))

        renewed = client.v1.subscriptions.retrieve(
            april.id, {"expand": ["latest_invoice"]}
        )

        assert renewed.latest_invoice.amount_paid == 3000 * 10 // 31
        assert renewed.items.data[0].current_period_end == renewed.cancel_at

    def test_may_be_known_from_the_start(self, client, wire, plan, subscribe):
        wire.at(datetime(2026, 4, 1, tzinfo=UTC))
        end = int(datetime(2026, 4, 11, tzinfo=UTC).timestamp())

        short = subscribe(plan(3000), cancel_at=end, expand=["latest_invoice"])

        wire.at(datetime(2026, 4, 12, tzinfo=UTC))
        assert short.latest_invoice.amount_paid == 1000
        assert client.v1.subscriptions.retrieve(short.id).ended_at == end

    def test_is_never_in_the_past(self, cancel_at):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            cancel_at(datetime(2026, 3, 31, tzinfo=UTC))

        assert caught.value.param == "cancel_at"

    def test_holds_for_a_new_price_too(self, client, plan, april, cancel_at):
        cancel_at(datetime(2026, 4, 21, tzinfo=UTC), proration_behavior="none")
        item = {"id": april.items.data[0].id, "price": plan(6000).id}

        changed = client.v1.subscriptions.update(
            april.id,
            {
                "items": [item],
                "proration_behavior": "always_invoice",
                "expand": ["latest_invoice"],
            },
        )

        amounts = [line.amount for line in changed.latest_invoice.lines.data]
        assert amounts == [-3000, 4000]


class TestDeletedCustomer:
    def test_has_no_live_subscription(self, client, alice, plan, subscribe):
        subscription = subscribe(plan())

        client.v1.customers.delete(alice.id)

        assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
