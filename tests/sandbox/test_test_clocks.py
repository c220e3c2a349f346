"""Test clocks: customers whose time is moved by hand, whatever the sandbox's is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

START = datetime(2027, 1, 31, 12, tzinfo=UTC)


def stamp(moment: datetime) -> int:
    return int(moment.timestamp())


@pytest.fixture
def clock(client):
    return client.v1.test_helpers.test_clocks.create(
        {"frozen_time": stamp(START), "name": "A year of Bob"}
    )


@pytest.fixture
def bob(client, clock):
    return client.v1.customers.create(
        {"email": "bob@x.example", "test_clock": clock.id}
    )


@pytest.fixture
def advance(client, clock):
    def advance(moment: datetime):
        clocks = client.v1.test_helpers.test_clocks
        return clocks.advance(clock.id, {"frozen_time": stamp(moment)})

    return advance


class TestClock:
    def test_dates_what_is_the_customers(self, bob, plan, subscribe):
        subscription = subscribe(plan(), customer=bob)

        assert bob.created == subscription.created == stamp(START)
        assert subscription.test_clock == bob.test_clock

    def test_is_advancing_and_then_ready(self, client, clock, advance):
        advancing = advance(START + timedelta(days=1))
        after = client.v1.test_helpers.test_clocks.retrieve(clock.id)

        target = stamp(START + timedelta(days=1))
        assert advancing.status == "advancing"
        assert advancing.status_details.advancing.target_frozen_time == target
        assert (after.status, after.frozen_time) == ("ready", target)

    def test_renews_in_time_order(self, client, wire, bob, plan, subscribe, advance):
        subscription = subscribe(plan(), customer=bob)
        advance(START + timedelta(days=58))
        advance(START + timedelta(days=100))

        invoices = client.v1.invoices.list({"subscription": subscription.id}).data

        starts = [
            datetime.fromtimestamp(each.lines.data[0].period.start, UTC)
            .date()
            .isoformat()
            for each in invoices
        ]
        assert starts == ["2027-04-30", "2027-03-31", "2027-02-28", "2027-01-31"]
        assert {each.status for each in invoices} == {"paid"}
        renewals = wire.events("customer.subscription.updated")[1:]
        assert [event["created"] for event in renewals] == [
            each.created for each in invoices[2::-1]
        ]

    def test_leaves_other_customers_alone(
        self, client, alice, bob, plan, subscribe, advance
    ):
        other = subscribe(plan(), customer=alice)
        subscribe(plan(), customer=bob)
        advance(START + timedelta(days=50))

        [only] = client.v1.invoices.list({"customer": alice.id}).data

        assert only.id == other.latest_invoice

    def test_is_left_alone_by_the_sandboxs_clock(
        self, client, wire, bob, plan, subscribe
    ):
        subscription = subscribe(plan(), customer=bob)

        wire.at(START + timedelta(days=365))

        assert len(client.v1.invoices.list({"subscription": subscription.id}).data) == 1

    def test_dates_what_a_browser_confirms(self, client, bob, plan, put_card):
        put_card(bob)
        subscription = client.v1.subscriptions.create(
            {
                "customer": bob.id,
                "items": [{"price": plan().id}],
                "payment_behavior": "default_incomplete",
                "expand": ["latest_invoice.payments"],
            }
        )
        [payment] = subscription.latest_invoice.payments.data
        client.v1.payment_intents.confirm(payment.payment.payment_intent)

        invoice = client.v1.invoices.retrieve(subscription.latest_invoice.id)

        assert invoice.status_transitions.paid_at == stamp(START)

    def test_settles_charges_without_being_moved(self, client, bob, plan, subscribe):
        subscribe(plan(), customer=bob)

        [booked] = client.v1.balance_transactions.list().data

        assert booked.amount == 2900


class TestLimits:
    def test_advances_forward_only(self, advance):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            advance(START)

        assert caught.value.param == "frozen_time"

    def test_advances_two_intervals_at_most(self, bob, plan, subscribe, advance):
        subscribe(plan(), customer=bob)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            advance(START + timedelta(days=60))

        assert "two intervals" in caught.value.user_message

    def test_without_subscriptions_advances_two_years(self, client, clock, advance):
        with pytest.raises(stripe.InvalidRequestError):
            advance(START + timedelta(days=732))

        assert advance(START + timedelta(days=731)).status == "advancing"

    def test_has_three_customers_at_most(self, client, clock):
        for _ in range(3):
            client.v1.customers.create({"test_clock": clock.id})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.create({"test_clock": clock.id})

        assert caught.value.param == "test_clock"


class TestDelete:
    def test_takes_its_customers_along(self, client, clock, bob, plan, subscribe):
        subscribe(plan(), customer=bob)

        gone = client.v1.test_helpers.test_clocks.delete(clock.id)

        assert gone.deleted
        assert client.v1.customers.retrieve(bob.id).deleted
        assert client.v1.test_helpers.test_clocks.list().data == []
        assert client.v1.subscriptions.list({"status": "all"}).data == []
