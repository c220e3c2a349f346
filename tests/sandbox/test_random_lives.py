"""Subscriptions that live through random months: the books agree at every step."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import stripe

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIVE = ("active", "trialing", "past_due")
STEPS = 25


class Life:
    """One customer's random life; each step is followed by the checks."""

    def __init__(self, wire, client, prices, coupons, *, seed: int) -> None:
        self.wire, self.client = wire, client
        self.prices, self.coupons = prices, coupons
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.now = START
        self.customer = client.v1.customers.create({"email": "life@x.example"})
        self.put_card("pm_card_visa")
        self.subscription = self._subscribe()

    def step(self) -> None:
        self._wait()
        subscription = self._current()
        if subscription.status not in LIVE:
            self.put_card("pm_card_visa")
            self.subscription = self._subscribe()
            return
        acts = [self._change, self._change, self._end, self._card, self._redeem,
                self._pay_what_is_open]  # fmt: skip
        self.random.choice(acts)(subscription)

    def put_card(self, card: str) -> None:
        attach = self.client.v1.payment_methods.attach
        method = attach(card, {"customer": self.customer.id})
        settings = {"default_payment_method": method.id}
        self.client.v1.customers.update(
            self.customer.id, {"invoice_settings": settings}
        )

    def _current(self) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(self.subscription.id)

    def _subscribe(self) -> stripe.Subscription:
        price = self.random.choice(self.prices)
        return self.client.v1.subscriptions.create(
            {
                "customer": self.customer.id,
                "discounts": self._some_coupons(),
                "items": [{"price": price.id}],
            }
        )

    def _some_coupons(self) -> list[dict[str, str]]:
        chosen = self.random.sample(self.coupons, self.random.randint(0, 2))
        return [{"coupon": coupon.id} for coupon in chosen]

    def _wait(self) -> None:
        self.now += timedelta(seconds=self.random.randrange(20 * 86_400))
        self.wire.at(self.now)

    def _change(self, subscription: stripe.Subscription) -> None:
        item = {
            "id": subscription.items.data[0].id,
            "price": self.random.choice(self.prices).id,
            "quantity": self.random.randint(1, 3),
        }
        wanted = {
            "items": [item],
            "proration_behavior": self.random.choice(
                ["always_invoice", "always_invoice", "create_prorations", "none"]
            ),
            "proration_date": int(self.now.timestamp()),
        }
        preview = self._preview(subscription, wanted)
        behavior = self.random.choice(["allow_incomplete", "pending_if_incomplete"])
        changed = self.client.v1.subscriptions.update(
            subscription.id,
            {**wanted, "payment_behavior": behavior, "expand": ["latest_invoice"]},
        )
        if wanted["proration_behavior"] == "always_invoice" and preview:
            assert told(changed.latest_invoice) == told(preview)

    def _preview(self, subscription: stripe.Subscription, wanted):
        """What the change is billed at once, or None if it is not."""
        preview = {"subscription": subscription.id, "subscription_details": wanted}
        try:
            invoice = self.client.v1.invoices.create_preview(preview)
        except stripe.InvalidRequestError as nothing:
            assert nothing.code == "invoice_upcoming_none"  # noqa: PT017
            assert subscription.cancel_at
            return None
        return invoice if invoice.billing_reason == "subscription_update" else None

    def _end(self, subscription: stripe.Subscription) -> None:
        soon = self.now + timedelta(days=self.random.randint(1, 60))
        wanted = self.random.choice(
            [
                {"cancel_at_period_end": True},
                {"cancel_at": int(soon.timestamp())},
                {"cancel_at": ""},
                {"cancel_at_period_end": False},
            ]
        )
        self.client.v1.subscriptions.update(subscription.id, wanted)

    def _redeem(self, subscription: stripe.Subscription) -> None:
        wanted = {"discounts": self._some_coupons()}
        self.client.v1.subscriptions.update(subscription.id, wanted)

    def _card(self, _subscription: stripe.Subscription) -> None:
        self.put_card(
            self.random.choice(["pm_card_visa", "pm_card_chargeCustomerFail"])
        )

    def _pay_what_is_open(self, subscription: stripe.Subscription) -> None:
        listed = {"subscription": subscription.id, "status": "open"}
        for invoice in self.client.v1.invoices.list(listed).data:
            self.client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})


def told(invoice: stripe.Invoice) -> tuple[object, ...]:
    lines = [
        (line.amount, line.description, [each.amount for each in line.discount_amounts])
        for line in invoice.lines.data
    ]
    return invoice.total, invoice.amount_due, lines


def net_of(line) -> int:
    return line["amount"] - sum(each["amount"] for each in line["discount_amounts"])


def check_books(wire) -> None:
    store = wire.sandbox.store
    invoices = store.find("invoice")
    [customer] = store.find("customer")
    kept = [each for each in invoices if each["status"] not in ("draft", "void")]
    for invoice in invoices:
        assert invoice["total"] == sum(map(net_of, invoice["lines"]["data"]))
        assert invoice["subtotal"] - invoice["total"] == sum(
            each["amount"] for each in invoice["total_discount_amounts"]
        )
    for invoice in kept:
        moved = invoice["ending_balance"] - invoice["starting_balance"]
        assert invoice["amount_due"] == invoice["total"] - moved
    assert customer["balance"] == sum(
        each["ending_balance"] - each["starting_balance"] for each in kept
    )
    charges = store.find("charge", status="succeeded")
    assert sum(each["amount"] for each in charges) == sum(
        each["amount_paid"] for each in invoices
    )
    booked = store.find("balance_transaction")
    assert {each["source"] for each in booked} == {each["id"] for each in charges}


def check_credits(wire) -> None:
    """Nobody is given back more than was charged for an item."""
    store = wire.sandbox.store
    of_items: Counter[str] = Counter()
    for invoice in store.find("invoice"):
        for line in invoice["lines"]["data"]:
            details = line["parent"]["subscription_item_details"]
            of_items[details["subscription_item"]] += net_of(line)
    for item in store.find("invoiceitem"):
        if not item.get("deleted") and item["invoice"] is None:
            details = item["parent"]["subscription_details"]
            of_items[details["subscription_item"]] += item["amount"]
    assert all(amount >= 0 for amount in of_items.values())


def check_periods(wire, subscription_id: str) -> None:
    """No full period is billed twice."""
    invoices = [
        each
        for each in wire.sandbox.store.find("invoice", status="paid")
        if each["parent"]["subscription_details"]["subscription"] == subscription_id
    ]
    periods = [
        (line["period"]["start"], line["period"]["end"])
        for invoice in invoices
        for line in invoice["lines"]["data"]
        if not line["parent"]["subscription_item_details"]["proration"]
    ]
    assert len(periods) == len(set(periods))


@pytest.fixture
def prices(plan):
    return [
        plan(0, name="Free"),
        plan(2900, name="Creator"),
        plan(9900, name="Pro"),
        plan(29_000, "year", "Creator, yearly"),
        plan(99_000, "year", "Pro, yearly"),
    ]


@pytest.fixture
def coupons(client):
    third = {"percent_off": 33.3, "duration": "repeating", "duration_in_months": 3}
    five_dollars = {"amount_off": 500, "currency": "usd", "duration": "forever"}
    given = [{"percent_off": 50, "duration": "once"}, third, five_dollars]
    return [client.v1.coupons.create(each) for each in given]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_books_agree_at_every_step(wire, client, prices, coupons, seed):
    wire.at(START)
    life = Life(wire, client, prices, coupons, seed=seed)

    for _ in range(STEPS):
        life.step()
        wire.sandbox.tick()
        check_books(wire)
        check_credits(wire)
        check_periods(wire, life.subscription.id)

    made_by_time = [event for event in wire.events() if event["request"]["id"] is None]
    times = [event["created"] for event in made_by_time]
    assert times == sorted(times)
