"""A preview is what is then charged, line by line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

START = datetime(2026, 1, 31, 9, 30, 17, tzinfo=UTC)
CHANGE = START + timedelta(days=11, hours=5, seconds=43)


def told(invoice):
    """What a customer is told by an invoice."""
    lines = [
        (
            line.amount,
            line.description,
            line.quantity,
            line.period.to_dict(),
            line.pricing.price_details.price,
            line.parent.subscription_item_details.proration,
        )
        for line in invoice.lines.data
    ]
    return invoice.total, invoice.amount_due, invoice.starting_balance, lines


@pytest.fixture
def preview(client):
    def preview(subscription, **details):
        return client.v1.invoices.create_preview(
            {"subscription": subscription.id, "subscription_details": details}
        )

    return preview


@pytest.fixture
def subscription(wire, plan, subscribe):
    wire.at(START)
    subscription = subscribe(plan(2900))
    wire.at(CHANGE)
    return subscription


class TestPreviewOfAChange:
    @pytest.mark.parametrize(
        ("cents", "interval"),
        [(9900, "month"), (1500, "month"), (29_000, "year"), (0, "month")],
    )
    @pytest.mark.parametrize("quantity", [1, 3])
    def test_is_what_is_charged(
        self, client, plan, preview, subscription, cents, interval, quantity
    ):
        item = {
            "id": subscription.items.data[0].id,
            "price": plan(cents, interval, "Pro").id,
            "quantity": quantity,
        }
        wanted = {
            "items": [item],
            "proration_behavior": "always_invoice",
            "proration_date": int(CHANGE.timestamp()),
        }

        shown = preview(subscription, **wanted)
        changed = client.v1.subscriptions.update(
            subscription.id, {**wanted, "expand": ["latest_invoice"]}
        )

        assert told(changed.latest_invoice) == told(shown)

    def test_changes_nothing(self, client, wire, plan, preview, subscription):
        item = {"id": subscription.items.data[0].id, "price": plan(9900).id}
        before = client.v1.subscriptions.retrieve(subscription.id).to_dict()
        events = len(wire.events())

        shown = preview(subscription, items=[item], proration_behavior="always_invoice")

        assert client.v1.subscriptions.retrieve(subscription.id).to_dict() == before
        assert len(wire.events()) == events
        assert client.v1.invoice_items.list().data == []
        assert shown.id.startswith("upcoming_in_")
        assert (shown.status, shown.number, shown.hosted_invoice_url) == (
            "draft",
            None,
            None,
        )

    def test_counts_what_is_to_wait_for_the_invoice_as_if_it_did(
        self, client, plan, preview, subscription
    ):
        item = {"id": subscription.items.data[0].id, "price": plan(29_000, "year").id}
        line = {"amount": -700, "currency": "usd", "description": "Unspent"}
        wanted = {"items": [item], "proration_behavior": "none"}

        shown = client.v1.invoices.create_preview(
            {
                "subscription": subscription.id,
                "subscription_details": wanted,
                "invoice_items": [line],
            }
        )
        owner = {"customer": subscription.customer, "subscription": subscription.id}
        client.v1.invoice_items.create({**line, **owner})
        changed = client.v1.subscriptions.update(
            subscription.id, {**wanted, "expand": ["latest_invoice"]}
        )

        amounts = [line.amount for line in shown.lines.data]
        assert amounts == [-700, 29_000]
        assert [line.amount for line in changed.latest_invoice.lines.data] == amounts

    def test_leaves_a_line_without_a_price_unexpanded(
        self, client, preview, subscription
    ):
        invoice = client.v1.invoices.create({"customer": subscription.customer})
        client.v1.invoice_items.create(
            {
                "customer": subscription.customer,
                "invoice": invoice.id,
                "amount": 700,
                "currency": "usd",
            }
        )

        lines = client.v1.invoices.line_items.list(
            invoice.id, {"expand": ["data.pricing.price_details.price"]}
        )

        assert [(line.amount, line.pricing) for line in lines.data] == [(700, None)]

    def test_of_prorations_that_wait_is_the_next_invoice(
        self, client, wire, plan, preview, subscription
    ):
        item = {"id": subscription.items.data[0].id, "price": plan(9900).id}
        wanted = {"items": [item], "proration_date": int(CHANGE.timestamp())}

        shown = preview(subscription, **wanted)
        client.v1.subscriptions.update(subscription.id, wanted)
        wire.at(START + timedelta(days=30))

        [renewal, _] = client.v1.invoices.list({"subscription": subscription.id}).data
        assert renewal.billing_reason == "subscription_cycle"
        assert told(renewal) == told(shown)

    def test_of_an_end_within_the_period_is_what_is_credited(
        self, client, preview, subscription
    ):
        wanted = {
            "cancel_at": int((CHANGE + timedelta(days=5)).timestamp()),
            "proration_behavior": "always_invoice",
        }

        shown = preview(subscription, **wanted)
        changed = client.v1.subscriptions.update(
            subscription.id, {**wanted, "expand": ["latest_invoice"]}
        )

        assert shown.total < 0
        assert told(changed.latest_invoice) == told(shown)


class TestPreviewOfARenewal:
    def test_is_what_is_charged(self, client, wire, preview, subscription):
        shown = preview(subscription)
        wire.at(START + timedelta(days=30))

        [renewal, _] = client.v1.invoices.list({"subscription": subscription.id}).data
        assert told(renewal) == told(shown)
        assert shown.period_end == int(
            datetime(2026, 2, 28, 9, 30, 17, tzinfo=UTC).timestamp()
        )

    def test_knows_what_a_schedule_has_planned(
        self, client, wire, plan, preview, subscription
    ):
        schedules = client.v1.subscription_schedules
        schedule = schedules.create({"from_subscription": subscription.id})
        [phase] = schedule.phases
        now = {
            "items": [{"price": subscription.items.data[0].price.id}],
            "start_date": phase.start_date,
            "end_date": phase.end_date,
        }
        then = {
            "items": [{"price": plan(1500, name="Small").id}],
            "duration": {"interval": "month"},
        }
        schedules.update(schedule.id, {"phases": [now, then]})

        shown = preview(subscription)
        wire.at(START + timedelta(days=30))

        [renewal, _] = client.v1.invoices.list({"subscription": subscription.id}).data
        assert renewal.total == 1500
        assert told(renewal) == told(shown)

    def test_is_none_when_the_subscription_ends(self, client, preview, subscription):
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            preview(subscription)

        assert caught.value.code == "invoice_upcoming_none"

    def test_is_none_if_the_subscription_were_to_end(self, preview, subscription):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            preview(subscription, cancel_at_period_end=True)

        assert caught.value.code == "invoice_upcoming_none"

    def test_is_what_waits_when_the_subscription_ends(
        self, client, wire, plan, preview, subscription
    ):
        item = {"id": subscription.items.data[0].id, "price": plan(9900).id}
        client.v1.subscriptions.update(subscription.id, {"items": [item]})
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

        shown = preview(subscription)
        wire.at(START + timedelta(days=30))

        [final, _] = client.v1.invoices.list({"subscription": subscription.id}).data
        assert told(final) == told(shown)
        assert final.status == "paid"


class TestPreviewOfANewSubscription:
    def test_is_what_is_charged(self, client, wire, alice, plan, put_card):
        wire.at(START)
        put_card(alice)
        items = [{"price": plan(2900).id}]

        shown = client.v1.invoices.create_preview(
            {"customer": alice.id, "subscription_details": {"items": items}}
        )
        started = client.v1.subscriptions.create(
            {"customer": alice.id, "items": items, "expand": ["latest_invoice"]}
        )

        assert told(started.latest_invoice) == told(shown)

    def test_needs_items(self, client, alice):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.invoices.create_preview({"customer": alice.id})

        assert caught.value.code == "invoice_upcoming_none"
