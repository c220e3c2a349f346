"""Periods, renewals, and what happens when a card fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from stripe_sandbox.subscribing.calendar import (
    boundary,
    boundary_after,
    boundary_before,
)
from tests.sandbox.conftest import at

MONTH = {"interval": "month", "interval_count": 1}
YEAR = {"interval": "year", "interval_count": 1}
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
RENEWAL = datetime(2026, 2, 28, 12, tzinfo=UTC)
FAILS = "pm_card_chargeCustomerFail"


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class TestCalendar:
    @pytest.mark.parametrize(
        ("anchor", "expected"),
        [
            ("2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
            ("2026-01-30", ["2026-02-28", "2026-03-30", "2026-04-30"]),
            ("2028-01-29", ["2028-02-29", "2028-03-29"]),
            ("2026-11-30", ["2026-12-30", "2027-01-30", "2027-02-28", "2027-03-30"]),
        ],
    )
    def test_keeps_the_day_of_the_anchor(self, anchor, expected):
        found = [boundary(day(anchor), MONTH, n) for n in range(1, len(expected) + 1)]

        assert found == [day(each) for each in expected]

    def test_keeps_29_february_for_the_next_leap_year(self):
        years = [boundary(day("2028-02-29"), YEAR, n) for n in (1, 2, 3, 4)]

        assert years == [
            day("2029-02-28"),
            day("2030-02-28"),
            day("2031-02-28"),
            day("2032-02-29"),
        ]

    def test_finds_the_boundaries_around_a_moment(self):
        anchor = day("2026-01-31")

        assert boundary_after(anchor, MONTH, day("2026-02-28")) == day("2026-03-31")
        assert boundary_after(anchor, MONTH, day("2026-02-27")) == day("2026-02-28")
        assert boundary_before(anchor, MONTH, day("2026-02-28")) == anchor
        assert boundary_before(anchor, MONTH, anchor) == day("2025-12-31")

    def test_counts_weeks_in_days(self):
        fortnight = {"interval": "week", "interval_count": 2}

        assert boundary(day("2026-01-31"), fortnight, 1) == day("2026-02-14")


class TestRenewal:
    @pytest.fixture
    def subscription(self, wire, plan, subscribe):
        wire.at(START)
        return subscribe(plan())

    def test_drafts_an_invoice_at_the_end_of_the_period(
        self, client, wire, subscription
    ):
        wire.at(RENEWAL)

        renewed = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

        draft = renewed.latest_invoice
        assert (draft.status, draft.billing_reason) == ("draft", "subscription_cycle")
        assert at(draft.created) == RENEWAL
        assert at(draft.automatically_finalizes_at) == RENEWAL + timedelta(hours=1)
        assert (draft.hosted_invoice_url, draft.invoice_pdf, draft.number) == (
            None,
            None,
            None,
        )
        assert at(renewed.items.data[0].current_period_start) == RENEWAL

    def test_collects_it_an_hour_later(self, client, wire, subscription):
        wire.at(RENEWAL + timedelta(hours=1))

        invoice = client.v1.invoices.list({"subscription": subscription.id}).data[0]

        assert (invoice.status, invoice.amount_paid) == ("paid", 2900)
        assert at(invoice.status_transitions.finalized_at) == RENEWAL + timedelta(
            hours=1
        )
        assert invoice.number.endswith("-0002")
        assert invoice.hosted_invoice_url is not None

    def test_bills_the_period_that_begins(self, client, wire, subscription):
        wire.at(RENEWAL)

        invoice = client.v1.invoices.list({"subscription": subscription.id}).data[0]

        [line] = invoice.lines.data
        assert at(line.period.start) == RENEWAL
        assert at(line.period.end) == datetime(2026, 3, 31, 12, tzinfo=UTC)
        assert (at(invoice.period_start), at(invoice.period_end)) == (START, RENEWAL)

    def test_happens_each_at_its_own_time(self, client, wire, subscription):
        before = len(wire.events())
        wire.at(START + timedelta(days=365))

        starts = [
            at(line.period.start).date().isoformat()
            for invoice in client.v1.invoices.list(
                {"subscription": subscription.id, "limit": 100}
            ).data
            for line in invoice.lines.data
        ]
        times = [event["created"] for event in wire.events()[before:]]

        assert starts[::-1][:4] == [
            "2026-01-31",
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
        ]
        assert len(starts) == 13
        assert times == sorted(times)

    def test_is_announced_a_week_before(self, client, wire, subscription):
        wire.at(RENEWAL)

        [told] = wire.events("invoice.upcoming")

        upcoming = told["data"]["object"]
        assert at(told["created"]) == RENEWAL - timedelta(days=7)
        assert upcoming["amount_due"] == 2900
        assert upcoming["lines"]["data"][0]["period"]["start"] == int(
            RENEWAL.timestamp()
        )
        assert wire.sandbox.store.get(upcoming["id"]) is None

    def test_reads_by_an_index_what_is_the_customers(self, wire):
        plan_of = wire.sandbox.store.sql(
            "EXPLAIN QUERY PLAN SELECT body FROM objects WHERE kind = 'invoiceitem'"
            " AND json_extract(body, '$.customer') = 'cus_1' ORDER BY seq"
        )

        assert "objects_of_customer" in plan_of[0]["detail"]


class TestFailure:
    @pytest.fixture
    def behind(self, client, wire, alice, plan, subscribe, put_card):
        """A subscription whose renewal failed just now."""
        wire.at(START)
        subscription = subscribe(plan())
        put_card(alice, FAILS)
        wire.at(RENEWAL + timedelta(hours=1))
        return client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

    def test_makes_it_past_due(self, wire, behind):
        invoice = behind.latest_invoice

        assert behind.status == "past_due"
        assert (invoice.status, invoice.attempt_count) == ("open", 1)
        assert at(invoice.next_payment_attempt) == RENEWAL + timedelta(days=3, hours=1)
        [told] = wire.events("invoice.payment_failed")
        assert told["data"]["object"]["id"] == invoice.id

    def test_is_retried_after_3_5_and_7_days(self, client, wire, behind):
        wire.at(RENEWAL + timedelta(days=16))

        failures = wire.events("charge.failed")

        assert [at(event["created"]) - RENEWAL for event in failures] == [
            timedelta(days=days, hours=1) for days in (0, 3, 8, 15)
        ]

    def test_ends_it_after_the_last_retry(self, client, wire, behind):
        wire.at(RENEWAL + timedelta(days=15, hours=1))

        ended = client.v1.subscriptions.retrieve(
            behind.id, {"expand": ["latest_invoice"]}
        )

        assert ended.status == "canceled"
        assert ended.cancellation_details.reason == "payment_failed"
        assert ended.latest_invoice.status == "open"
        assert ended.latest_invoice.attempt_count == 4
        assert ended.latest_invoice.next_payment_attempt is None

    @pytest.mark.parametrize("then", ["unpaid", "past_due"])
    def test_may_end_otherwise(self, client, wire, behind, then):
        body = json.dumps({"days": [1, 2], "then": then}).encode()
        told = wire.sandbox.handle("POST", "/_sandbox/retries", {}, body).json()
        wire.at(RENEWAL + timedelta(days=20))

        assert told == {"days": [1, 2], "then": then}
        assert client.v1.subscriptions.retrieve(behind.id).status == then

    def test_is_made_good_by_another_card(self, client, wire, alice, put_card, behind):
        put_card(alice)
        wire.at(RENEWAL + timedelta(days=3, hours=1))

        after = client.v1.subscriptions.retrieve(
            behind.id, {"expand": ["latest_invoice"]}
        )

        assert after.status == "active"
        assert after.latest_invoice.status == "paid"
        assert after.latest_invoice.attempt_count == 2

    def test_by_hand_counts_for_no_retry(self, client, wire, behind):
        with pytest.raises(Exception, match="declined"):
            client.v1.invoices.pay(behind.latest_invoice.id)

        invoice = client.v1.invoices.retrieve(behind.latest_invoice.id)

        assert invoice.attempt_count == 1
        assert (
            invoice.next_payment_attempt == behind.latest_invoice.next_payment_attempt
        )

    def test_for_want_of_3ds_is_made_good_on_the_banks_page(
        self, client, wire, alice, plan, subscribe, put_card
    ):
        wire.at(START)
        subscription = subscribe(plan())
        put_card(alice, "pm_card_authenticationRequired")
        wire.at(RENEWAL + timedelta(hours=1))
        behind = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice.payments"]}
        )
        [payment] = behind.latest_invoice.payments.data

        page = f"/3ds/{payment.payment.payment_intent}"
        wire.sandbox.handle("POST", page, {}, b"answer=approve")

        [asked] = wire.events("invoice.payment_action_required")
        assert asked["data"]["object"]["id"] == behind.latest_invoice.id
        assert behind.status == "past_due"
        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"

    def test_is_forgotten_when_the_invoice_is_voided(self, client, behind):
        client.v1.invoices.void_invoice(behind.latest_invoice.id)

        assert client.v1.subscriptions.retrieve(behind.id).status == "active"

    def test_without_a_card_counts_as_an_attempt(
        self, client, wire, alice, plan, subscribe
    ):
        wire.at(START)
        subscription = subscribe(plan())
        [card] = client.v1.customers.payment_methods.list(alice.id).data
        client.v1.payment_methods.detach(card.id)
        wire.at(RENEWAL + timedelta(hours=1))

        after = client.v1.subscriptions.retrieve(subscription.id)

        assert after.status == "past_due"
        assert wire.events("charge.failed") == []

    def test_hard_is_not_charged_again(self, client, wire, alice, plan, subscribe):
        """Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries."""
        wire.at(START)
        subscription = subscribe(plan())
        wire.sandbox.store.note(
            client.v1.customers.payment_methods.list(alice.id).data[0].id,
            card="4000000000009979",
        )
        wire.at(RENEWAL + timedelta(days=9))

        after = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

        assert after.latest_invoice.attempt_count == 3
        assert len(wire.events("charge.failed")) == 1
