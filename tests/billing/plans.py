"""Plans at Stripe: the sandbox renews and charges them, the inbox hears of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Account
from billing import stripe_gateway
from billing.models import Interval, Subscription
from billing.plans import catalogue, renewing
from billing.subscriptions import chasing
from billing.webhooks import inbox
from stripe_sandbox.engine.agenda import next_due_at
from tests.billing.conftest import event_of
from tests.conftest import NOW
from tests.stripe_wire import StripeWire

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Attaches, and then fails whenever it is charged.
FAILING_CARD = "4000000000000341"


class Plans:
    """The portal and its Stripe, whose clocks move together."""

    def __init__(self, wire: StripeWire, at: datetime = NOW) -> None:
        self.wire = wire
        self.at = at
        self.heard = len(wire.events())

    def subscribe(
        self, account: Account, code: str, interval: Interval = Interval.MONTH
    ) -> Subscription:
        """Pay for a plan on Stripe's page, and hear of it."""
        self.pay_for(account, code, interval)
        self.hear()
        return account.subscriptions.get(ended_at=None)

    def pay_for(
        self,
        account: Account,
        code: str,
        interval: Interval = Interval.MONTH,
        **terms: object,
    ) -> str:
        """Pay for a plan on Stripe's page; nobody has heard of it yet."""
        version = catalogue.plan_in_force(code, at=self.at)
        metadata = {"account": account.public_id}
        session = self.wire.client().v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [
                    {"price": self.price_id(version, interval), "quantity": 1}
                ],
                "metadata": metadata,
                "subscription_data": {"metadata": metadata, **terms},
                "success_url": "https://purser.example/",
            }
        )
        assert self.wire.pay(session.id).status == 303
        return session.id

    def price_id(self, version, interval: Interval = Interval.MONTH) -> str:
        """Stripe's id of a plan's price, which it is told of now."""
        [price] = [
            price
            for price in catalogue.prices_to_sell()
            if price.lookup_key == version.lookup_key(interval)
        ]
        stripe_gateway.ensure_price(price)
        return stripe_gateway.price_id(price.lookup_key)

    def item_id(self, subscription: Subscription) -> str:
        """Stripe's id of what a subscription has the price of."""
        stripe_id = subscription.stripe_subscription_id or ""
        return stripe_gateway.subscription(stripe_id).item_id

    def update(self, subscription: Subscription, **params) -> None:
        """Change a subscription at Stripe."""
        subscriptions = self.wire.client().v1.subscriptions
        subscriptions.update(subscription.stripe_subscription_id, params)

    def take_off(self, subscription: Subscription, percent: int) -> None:
        """Let a coupon lower every further bill of a subscription."""
        coupon = self.wire.client().v1.coupons.create(
            {"percent_off": percent, "duration": "forever"}
        )
        self.update(subscription, discounts=[{"coupon": coupon.id}])

    def let_cards_fail(self, subscription: Subscription) -> None:
        """Give the customer a card that can no longer be charged."""
        client = self.wire.client().v1
        stripe_id = subscription.stripe_subscription_id
        customer = client.subscriptions.retrieve(stripe_id).customer
        method = client.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": customer}
        )
        self.update(subscription, default_payment_method=method.id)

    def travel(self, to: datetime, *, has_beat: bool = True) -> None:
        """Move both clocks, stopping wherever something happens at Stripe."""
        while self.at < to:
            due = next_due_at(self.wire.sandbox.store)
            stop = datetime.fromtimestamp(due, self.at.tzinfo) if due else to
            self.at = min(max(stop, self.at + timedelta(seconds=1)), to)
            self.wire.at(self.at)
            self.hear()
            if has_beat:
                self.beat()

    def beat(self) -> None:
        """Do what beat has done every minute."""
        renewing.grant_due_cycles(limit=1_000, at=self.at)
        for pk in chasing.due_subscriptions(limit=1_000, at=self.at):
            chasing.look_after_subscription(subscription_id=pk, at=self.at)
        for pk in chasing.due_disputes(limit=1_000, at=self.at):
            chasing.look_after_dispute(dispute_id=pk, at=self.at)

    def hear(self) -> None:
        """Receive all that Stripe has told since last time, and act on it."""
        for event in self.news():
            self.receive(event)
        self.work_off()

    def receive(self, event: dict) -> None:
        """Store an event, as the webhook does."""
        inbox.receive(event_of(event), at=self.at)

    def news(self) -> list[dict]:
        """Return what Stripe has told since last time, oldest first."""
        events = self.wire.events()
        news, self.heard = events[self.heard :], len(events)
        return news

    def work_off(self) -> None:
        """Look at everything that is due."""
        for subject_id in inbox.due_subjects(limit=1_000, at=self.at):
            inbox.look_at(subject_id, at=self.at)
