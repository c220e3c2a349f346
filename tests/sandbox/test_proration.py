"""What a change in the middle of a period costs, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from stripe_sandbox.invoicing.lines import prorated

DAY_S = 86_400
FIRST = datetime(2026, 4, 1, tzinfo=UTC)  # April: 30 days
NOW = {"proration_behavior": "always_invoice"}


def lines_of(invoice):
    return [(line.description, line.amount) for line in invoice.lines.data]


@pytest.fixture
def change(client):
    """Replace the price of the only item and return the subscription."""

    def change(subscription, price, **params):
        [item] = subscription.items.data
        wanted = {"items": [{"id": item.id, "price": price.id}], **NOW, **params}
        return client.v1.subscriptions.update(
            subscription.id, {**wanted, "expand": ["latest_invoice"]}
        )

    return change


class TestArithmetic:
    @pytest.mark.parametrize(
        ("amount", "part", "whole", "expected"),
        [
            (1000, 1, 3, 333),
            (-2000, 1, 3, -667),  # down, not toward zero
            (-1000, 1, 2, -500),
            (2000, 1, 2, 1000),
            (999, 0, 30, 0),
            (999, 30, 30, 999),
            (-1, 1, 1_000_000, -1),
        ],
    )
    def test_rounds_each_line_down(self, amount, part, whole, expected):
        assert prorated(amount, part_s=part, whole_s=whole) == expected


class TestPublishedExamples:
    """Source: https://docs.stripe.com/billing/subscriptions/prorations."""

    def test_from_10_to_20_dollars_halfway_costs_5(self, wire, plan, subscribe, change):
        wire.at(FIRST)
        subscription = subscribe(plan(1000, name="Basic"))
        wire.at(FIRST + timedelta(days=15))

        invoice = change(subscription, plan(2000, name="Plus")).latest_invoice

        assert lines_of(invoice) == [
            ("Unused time on Basic after 16 Apr 2026", -500),
            ("Remaining time on Plus after 16 Apr 2026", 1000),
        ]
        assert (invoice.amount_due, invoice.amount_paid) == (500, 500)

    def test_from_light_to_standard_halfway(self, wire, plan, subscribe, change):
        """Source: docs.datacake.de, "Unused time and Remaining time in Invoices"."""
        wire.at(FIRST)
        subscription = subscribe(plan(100, name="Light"))
        wire.at(FIRST + timedelta(days=15))

        invoice = change(subscription, plan(300, name="Standard")).latest_invoice

        assert [amount for _, amount in lines_of(invoice)] == [-50, 150]

    def test_month_to_year_halfway(self, wire, plan, subscribe, change):
        """Source: Docker's billing pages: $100 a year less $5 unused of $10."""
        wire.at(FIRST)
        subscription = subscribe(plan(1000))
        wire.at(FIRST + timedelta(days=15))

        yearly = plan(10_000, "year", "Creator, yearly")
        subscription = change(subscription, yearly)

        [item] = subscription.items.data
        invoice = subscription.latest_invoice
        assert lines_of(invoice) == [
            ("Unused time on Creator after 16 Apr 2026", -500),
            (
                "1 \N{MULTIPLICATION SIGN} Creator, yearly (at $100.00 / year)",
                10_000,
            ),
        ]
        assert invoice.amount_paid == 9500
        assert item.current_period_start == subscription.billing_cycle_anchor
        assert datetime.fromtimestamp(item.current_period_end, UTC) == datetime(
            2027, 4, 16, tzinfo=UTC
        )


class TestToTheSecond:
    def test_counts_seconds_not_days(self, wire, plan, subscribe, change):
        wire.at(FIRST)
        subscription = subscribe(plan(2900))
        at = FIRST + timedelta(days=10, hours=1, seconds=7)
        wire.at(at)
        left_s = 30 * DAY_S - int((at - FIRST).total_seconds())

        invoice = change(subscription, plan(9900)).latest_invoice

        assert [line.amount for line in invoice.lines.data] == [
            -2900 * left_s // (30 * DAY_S),
            9900 * left_s // (30 * DAY_S),
        ]

    def test_takes_a_proration_date_instead_of_now(self, wire, plan, subscribe, change):
        wire.at(FIRST)
        subscription = subscribe(plan(1000))
        wire.at(FIRST + timedelta(days=20))
        halfway = int((FIRST + timedelta(days=15)).timestamp())

        invoice = change(
            subscription, plan(2000), proration_date=halfway
        ).latest_invoice

        assert invoice.amount_due == 500
        details = invoice.parent.subscription_details
        assert details.subscription_proration_date == halfway

    def test_refuses_a_proration_date_of_another_period(
        self, wire, plan, subscribe, change
    ):
        wire.at(FIRST)
        subscription = subscribe(plan(1000))
        before = int(FIRST.timestamp()) - 1

        with pytest.raises(stripe.InvalidRequestError) as caught:
            change(subscription, plan(2000), proration_date=before)

        assert caught.value.param == "proration_date"


class TestCredit:
    """Flexible billing: a credit goes by what was debited, not by the present price."""

    def test_of_a_debit_for_remaining_time(self, wire, plan, subscribe, change):
        wire.at(FIRST)
        subscription = subscribe(plan(1000))
        wire.at(FIRST + timedelta(days=10))
        subscription = change(subscription, plan(2000))
        wire.at(FIRST + timedelta(days=20))

        invoice = change(subscription, plan(3000)).latest_invoice

        first_debit = 2000 * 20 // 30
        assert [line.amount for line in invoice.lines.data] == [
            -first_debit * 10 // 20,
            1000,
        ]

    def test_is_of_the_old_price_after_a_change_without_proration(
        self, wire, plan, subscribe, change
    ):
        wire.at(FIRST)
        subscription = subscribe(plan(1000))
        subscription = change(subscription, plan(9000), proration_behavior="none")
        wire.at(FIRST + timedelta(days=15))

        invoice = change(subscription, plan(2000)).latest_invoice

        assert [line.amount for line in invoice.lines.data] == [-500, 1000]

    def test_names_the_line_that_it_gives_back(self, wire, plan, subscribe, change):
        wire.at(FIRST)
        subscription = subscribe(plan(1000), expand=["latest_invoice"])
        [debit] = subscription.latest_invoice.lines.data
        wire.at(FIRST + timedelta(days=15))

        credit, _ = change(subscription, plan(2000)).latest_invoice.lines.data

        details = credit.parent.subscription_item_details
        assert details.proration
        assert details.proration_details.credited_items.to_dict() == {
            "invoice": subscription.latest_invoice.id,
            "invoice_line_items": [debit.id],
        }

    def test_beyond_the_charge_is_kept_for_later(
        self, wire, client, alice, plan, subscribe, change
    ):
        wire.at(FIRST)
        subscription = subscribe(plan(9900))
        wire.at(FIRST + timedelta(days=15))

        invoice = change(subscription, plan(2900)).latest_invoice

        assert (invoice.total, invoice.amount_due, invoice.status) == (-3500, 0, "paid")
        assert (invoice.starting_balance, invoice.ending_balance) == (0, -3500)
        assert client.v1.customers.retrieve(alice.id).balance == -3500

    def test_kept_pays_the_next_period(
        self, wire, client, alice, plan, subscribe, change
    ):
        wire.at(FIRST)
        subscription = subscribe(plan(9900))
        wire.at(FIRST + timedelta(days=15))
        change(subscription, plan(2900))
        wire.at(FIRST + timedelta(days=31))

        [renewal, *_] = client.v1.invoices.list({"customer": alice.id}).data

        assert (renewal.total, renewal.amount_due, renewal.status) == (2900, 0, "paid")
        assert (renewal.starting_balance, renewal.ending_balance) == (-3500, -600)


class TestQuantity:
    def test_is_prorated_and_named(self, wire, client, plan, subscribe):
        wire.at(FIRST)
        subscription = subscribe(plan(1000))
        [item] = subscription.items.data
        wire.at(FIRST + timedelta(days=15))

        changed = client.v1.subscriptions.update(
            subscription.id,
            {"items": [{"id": item.id, "quantity": 3}], **NOW}
            | {"expand": ["latest_invoice"]},
        )

        assert lines_of(changed.latest_invoice) == [
            ("Unused time on Creator after 16 Apr 2026", -500),
            (
                "Remaining time on 3 \N{MULTIPLICATION SIGN} Creator after 16 Apr 2026",
                1500,
            ),
        ]


class TestPending:
    def test_waits_for_the_next_invoice(self, wire, client, plan, subscribe, change):
        wire.at(FIRST)
        subscription = subscribe(plan(1000, name="Basic"))
        wire.at(FIRST + timedelta(days=15))
        plus = plan(2000, name="Plus")
        change(subscription, plus, proration_behavior="create_prorations")
        wire.at(FIRST + timedelta(days=30, hours=1))

        renewed = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

        assert lines_of(renewed.latest_invoice) == [
            ("Unused time on Basic after 16 Apr 2026", -500),
            ("Remaining time on Plus after 16 Apr 2026", 1000),
            ("1 \N{MULTIPLICATION SIGN} Plus (at $20.00 / month)", 2000),
        ]
        assert renewed.latest_invoice.amount_paid == 2500
