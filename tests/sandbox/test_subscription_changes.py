"""Updates of a subscription and the payment that they wait for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

START = datetime(2026, 4, 1, tzinfo=UTC)
CHANGE = START + timedelta(days=15)
FAILS = "pm_card_chargeCustomerFail"


@pytest.fixture
def subscription(wire, plan, subscribe):
    wire.at(START)
    subscription = subscribe(plan(1000, name="Basic"))
    wire.at(CHANGE)
    return subscription


@pytest.fixture
def upgrade(client, plan, subscription):
    """Move to a plan of 20 dollars, which costs 5 in the middle of the month."""

    def upgrade(**params):
        [item] = client.v1.subscriptions.retrieve(subscription.id).items.data
        wanted = {
            "items": [{"id": item.id, "price": plan(2000, name="Plus").id}],
            "proration_behavior": "always_invoice",
            "expand": ["latest_invoice"],
            **params,
        }
        return client.v1.subscriptions.update(subscription.id, wanted)

    return upgrade


def cents(subscription):
    return [item.price.unit_amount for item in subscription.items.data]


class TestItems:
    def test_with_an_id_are_replaced(self, upgrade, subscription):
        changed = upgrade()

        assert cents(changed) == [2000]
        assert changed.items.data[0].id == subscription.items.data[0].id

    def test_without_an_id_are_added(self, client, plan, subscription):
        changed = client.v1.subscriptions.update(
            subscription.id, {"items": [{"price": plan(500).id}]}
        )

        assert cents(changed) == [1000, 500]

    def test_are_deleted(self, client, plan, subscription):
        first = subscription.items.data[0].id
        changed = client.v1.subscriptions.update(
            subscription.id,
            {"items": [{"id": first, "deleted": True}, {"price": plan(500).id}]},
        )

        assert cents(changed) == [500]

    def test_cannot_all_be_deleted(self, client, subscription):
        first = subscription.items.data[0].id

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscriptions.update(
                subscription.id, {"items": [{"id": first, "deleted": True}]}
            )

        assert caught.value.param == "items"

    def test_of_another_subscription_are_unknown(self, client, subscription):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscriptions.update(
                subscription.id, {"items": [{"id": "si_other", "quantity": 2}]}
            )

        assert caught.value.code == "resource_missing"

    def test_keep_the_period(self, upgrade, subscription):
        [before], [after] = subscription.items.data, upgrade().items.data

        assert after.current_period_start == before.current_period_start
        assert after.current_period_end == before.current_period_end

    def test_have_operations_of_their_own(self, client, plan, subscription):
        items = client.v1.subscription_items
        added = items.create({"subscription": subscription.id, "price": plan(500).id})
        items.update(added.id, {"quantity": 4})

        assert items.retrieve(added.id).quantity == 4
        assert items.delete(added.id).deleted
        listed = items.list({"subscription": subscription.id})
        assert [item.id for item in listed.data] == [subscription.items.data[0].id]


class TestPaidAtOnce:
    def test_is_applied(self, upgrade):
        changed = upgrade()

        invoice = changed.latest_invoice
        assert (changed.status, cents(changed)) == ("active", [2000])
        assert (invoice.status, invoice.amount_paid) == ("paid", 500)
        assert invoice.billing_reason == "subscription_update"

    def test_is_told_with_what_was_before(self, wire, upgrade, subscription):
        upgrade()

        told = wire.events("customer.subscription.updated")[-1]
        previous = told["data"]["previous_attributes"]
        [before] = previous["items"]["data"]
        assert before["price"]["unit_amount"] == 1000
        assert previous["latest_invoice"] == subscription.latest_invoice

    def test_restarts_the_cycle_when_asked_to(self, client, subscription):
        changed = client.v1.subscriptions.update(
            subscription.id,
            {"billing_cycle_anchor": {"type": "now"}, "expand": ["latest_invoice"]},
        )

        [item] = changed.items.data
        assert changed.latest_invoice.amount_paid == 1000 - 500
        assert item.current_period_start == int(CHANGE.timestamp())
        assert changed.billing_cycle_anchor == int(CHANGE.timestamp())

    def test_becomes_a_trial_with_credit_for_unused_time(
        self, client, alice, subscription
    ):
        until = int((CHANGE + timedelta(days=10)).timestamp())

        changed = client.v1.subscriptions.update(
            subscription.id, {"trial_end": until, "expand": ["latest_invoice"]}
        )

        credit, trial = changed.latest_invoice.lines.data
        assert (changed.status, changed.billing_cycle_anchor) == ("trialing", until)
        assert (credit.amount, trial.amount) == (-500, 0)
        assert trial.description == "Trial period for Basic"
        assert client.v1.customers.retrieve(alice.id).balance == -500

    def test_renews_only_in_the_new_cycle(self, client, wire, subscription):
        client.v1.subscriptions.update(
            subscription.id, {"billing_cycle_anchor": {"type": "now"}}
        )
        wire.at(CHANGE + timedelta(days=29))

        invoices = client.v1.invoices.list({"subscription": subscription.id}).data

        assert [each.billing_reason for each in invoices] == [
            "subscription_update",
            "subscription_create",
        ]


class TestAllowIncomplete:
    def test_is_applied_and_past_due(self, alice, put_card, upgrade):
        put_card(alice, FAILS)

        changed = upgrade()

        assert (changed.status, cents(changed)) == ("past_due", [2000])
        assert changed.latest_invoice.status == "open"
        assert changed.latest_invoice.next_payment_attempt == int(
            (CHANGE + timedelta(days=3)).timestamp()
        )


class TestErrorIfIncomplete:
    def test_changes_nothing(self, client, alice, put_card, upgrade, subscription):
        put_card(alice, FAILS)

        with pytest.raises(stripe.CardError) as caught:
            upgrade(payment_behavior="error_if_incomplete")

        after = client.v1.subscriptions.retrieve(subscription.id)
        assert caught.value.code == "card_declined"
        assert (after.status, cents(after)) == ("active", [1000])
        assert after.latest_invoice == subscription.latest_invoice

    def test_also_fails_when_the_bank_wants_3ds(self, alice, put_card, upgrade):
        put_card(alice, "pm_card_authenticationRequired")

        with pytest.raises(stripe.CardError) as caught:
            upgrade(payment_behavior="error_if_incomplete")

        assert caught.value.code == "subscription_payment_intent_requires_action"


class TestPendingUpdate:
    @pytest.fixture
    def pending(self, alice, put_card, upgrade):
        put_card(alice, FAILS)
        return upgrade(payment_behavior="pending_if_incomplete")

    def test_is_applied_at_once_when_paid(self, upgrade):
        changed = upgrade(payment_behavior="pending_if_incomplete")

        assert (changed.pending_update, cents(changed)) == (None, [2000])

    def test_keeps_the_old_plan(self, pending):
        shown = pending.pending_update

        assert (pending.status, cents(pending)) == ("active", [1000])
        assert shown.subscription_items[0].price.unit_amount == 2000
        assert shown.expires_at == int((CHANGE + timedelta(hours=23)).timestamp())
        assert pending.latest_invoice.status == "open"

    def test_is_applied_when_it_is_paid_later(self, client, wire, pending):
        wire.at(CHANGE + timedelta(hours=2))
        client.v1.invoices.pay(
            pending.latest_invoice.id, {"payment_method": "pm_card_visa"}
        )

        after = client.v1.subscriptions.retrieve(pending.id)

        assert (after.pending_update, cents(after)) == (None, [2000])
        assert len(wire.events("customer.subscription.pending_update_applied")) == 1

    def test_is_void_after_23_hours(self, client, wire, pending):
        wire.at(CHANGE + timedelta(hours=23))

        after = client.v1.subscriptions.retrieve(
            pending.id, {"expand": ["latest_invoice"]}
        )

        assert (after.status, after.pending_update) == ("active", None)
        assert cents(after) == [1000]
        assert after.latest_invoice.status == "void"
        assert len(wire.events("customer.subscription.pending_update_expired")) == 1

    def test_is_not_collected_by_itself(self, client, wire, pending):
        wire.at(CHANGE + timedelta(hours=22))

        assert len(client.v1.charges.list({"limit": 10}).data) == 2

    def test_credits_nothing_until_it_is_applied(
        self, client, wire, alice, put_card, pending, upgrade
    ):
        wire.at(CHANGE + timedelta(hours=23))
        put_card(alice)

        changed = upgrade(proration_date=int(CHANGE.timestamp()))

        assert changed.latest_invoice.amount_paid == 500

    def test_gives_way_to_another(self, client, pending, upgrade):
        newer = upgrade(payment_behavior="pending_if_incomplete")

        older = client.v1.invoices.retrieve(pending.latest_invoice.id)
        assert older.status == "void"
        assert newer.latest_invoice.status == "open"
        assert newer.latest_invoice.amount_due == 500

    def test_takes_no_metadata(self, upgrade):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            upgrade(payment_behavior="pending_if_incomplete", metadata={"a": "b"})

        assert caught.value.param == "metadata"

    def test_passes_after_3ds(self, client, alice, put_card, upgrade):
        put_card(alice, "pm_card_authenticationRequired")
        waiting = upgrade(
            payment_behavior="pending_if_incomplete",
            expand=["latest_invoice.payments"],
        )
        [payment] = waiting.latest_invoice.payments.data
        other = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})

        client.v1.payment_intents.confirm(
            payment.payment.payment_intent, {"payment_method": other.id}
        )

        assert waiting.pending_update is not None
        assert cents(client.v1.subscriptions.retrieve(waiting.id)) == [2000]
