"""Subscriptions: how they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from tests.sandbox.conftest import at

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


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
