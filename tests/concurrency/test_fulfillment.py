"""One payment, heard of from everywhere at once: one grant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Barrier
from time import sleep
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AuditEvent, Notice, Role, User
from billing import stripe_gateway
from billing.models import Purchase, PurchaseState, WebhookEvent, WebhookSubject
from billing.plans import catalogue
from billing.purchases import settling
from billing.refunds import refunding
from billing.subscriptions import chasing
from billing.webhooks import inbox
from config.clock import now
from credits import audits, ledger
from credits.models import CreditGrant, GrantSource
from tests.billing.conftest import buy, connected, on_plan
from tests.conftest import NOW
from tests.factories import make_member
from tests.stripe_wire import SECRET_KEY, StripeWire

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
SECRET = "whsec_test"


@dataclass(frozen=True)
class Shop:
    """A Business account, its owner, and a Stripe to buy at."""

    wire: StripeWire
    account: Account
    owner: User

    def buy(self, **options) -> Purchase:
        return buy(self.account, self.owner, **options)

    def insist(self, **options) -> Purchase:
        """Press the button until there is a page: the wire's SDK never waits (409)."""
        for _ in range(100):
            with suppress(stripe_gateway.StripeUnavailable):
                return self.buy(**options)
            sleep(0.02)
        raise AssertionError


@dataclass(frozen=True)
class Effects:
    """Everything that a payment may do once."""

    grants: int
    credits: int
    audited: int
    receipts: int


ONCE = Effects(grants=1, credits=300, audited=1, receipts=1)


def effects() -> Effects:
    purchased = CreditGrant.objects.filter(source=GrantSource.PURCHASE)
    return Effects(
        grants=purchased.count(),
        credits=sum(grant.granted for grant in purchased),
        audited=AuditEvent.objects.filter(action="purchase.paid").count(),
        receipts=Notice.objects.filter(kind="receipt").count(),
    )


def all_at_once(steps) -> list:
    """Run the steps in threads of their own, let go at the same instant."""
    gate = Barrier(len(steps))

    def run(step):
        gate.wait()
        try:
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(run, steps))


@pytest.fixture
def shop(transactional_db, settings):
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    catalogue.publish(catalogue.read(), currency="usd")
    with connected() as wire:
        account = on_plan("business")
        yield Shop(wire, account, make_member(account, Role.OWNER, "alice@example.com"))


@pytest.fixture
def paid(shop) -> Purchase:
    purchase = shop.buy(blocks=3, at=now())
    shop.wire.pay(purchase.stripe_session_id)
    return purchase


def delivery(shop: Shop):
    """A webhook as Stripe sends it, worked off at once as an idle worker would."""
    [event] = shop.wire.events("checkout.session.completed")
    body, signature = shop.wire.signed(event, SECRET)

    def deliver() -> int:
        response = Client().post(
            reverse("billing:stripe_webhook"),
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
        inbox.look_at(WebhookSubject.objects.get().pk, at=now())
        return response.status_code

    return deliver


def return_page(purchase, user):
    """The buyer's browser coming back from the checkout page."""
    browser = Client()
    browser.force_login(user)
    page = reverse("billing:purchase", args=[purchase.public_id])
    return lambda: browser.get(page).status_code


class TestOnePayment:
    def test_told_twenty_times_while_the_buyer_returns_is_granted_once(
        self, shop, paid
    ):
        steps = [delivery(shop)] * 20 + [return_page(paid, shop.owner)]

        answers = all_at_once(steps)

        assert answers == [200] * 21
        assert effects() == ONCE
        assert WebhookEvent.objects.count() == 1
        assert WebhookEvent.objects.get().outcome in {"granted", "settled before"}
        assert audits.verify() == []

    def test_found_by_every_caller_at_once_is_granted_once(self, shop, paid):
        Purchase.objects.update(next_check_at=NOW)

        def settle():
            settling.settle(session_id=paid.stripe_session_id, at=now())

        def sweep():
            chasing.look_after(purchase_id=paid.pk, at=now())

        all_at_once([settle] * 8 + [sweep] * 4 + [delivery(shop)] * 4)

        assert effects() == ONCE

    def test_returned_by_many_at_once_is_returned_once(self, shop, paid):
        shop.account.subscriptions.update(status="CANCELED", ended_at=NOW)
        settling.settle(session_id=paid.stripe_session_id, at=now())

        [refund_id] = refunding.due_refunds(limit=9, at=now())

        def sweep():
            refunding.look_after(refund_id=refund_id, at=now())

        all_at_once([sweep] * 12)

        paid.refresh_from_db()
        assert paid.state == PurchaseState.REFUNDED
        assert len(shop.wire.client().v1.refunds.list().data) == 1
        assert AuditEvent.objects.filter(action="refund.done").count() == 1


class TestOneForm:
    def test_sent_many_times_at_once_is_one_purchase(self, shop):
        at = now()

        pages = all_at_once(
            [lambda: shop.insist(form_key="same", at=at).checkout_url] * 8
        )

        assert len(set(pages)) == len(shop.wire.sessions()) == 1
        assert Purchase.objects.count() == 1


@pytest.mark.twin
class TestNegativeControls:
    """The same storm without its guards does harm: so it proves something."""

    CALLERS = 8

    @pytest.fixture
    def unlocked(self, monkeypatch):
        """Settling without the row's lock: all callers read before any writes."""
        gate = Barrier(self.CALLERS)

        def read_without_lock(session):
            purchase = Purchase.objects.select_related("account", "offer", "buyer").get(
                stripe_session_id=session.id
            )
            gate.wait()
            return purchase

        monkeypatch.setattr(settling, "_locked_purchase", read_without_lock)
        # What is booked has a key of its own, which alone would refuse the others.
        monkeypatch.setattr(settling.bookings, "purchase_paid", lambda *_, **__: None)

    @pytest.fixture
    def keyless(self, monkeypatch):
        """The ledger's key for this purchase gone: each call has one of its own."""
        grant = ledger.grant
        monkeypatch.setattr(
            ledger,
            "grant",
            lambda **command: grant(**{**command, "source_key": uuid4().hex}),
        )

    def storm(self, purchase) -> None:
        def settle():
            settling.settle(session_id=purchase.stripe_session_id, at=now())

        all_at_once([settle] * self.CALLERS)

    def test_without_the_lock_it_is_settled_many_times(self, paid, unlocked):
        self.storm(paid)

        assert effects().audited == self.CALLERS
        # The ledger's own key still keeps the credits right.
        assert effects().credits == 300

    def test_without_lock_and_key_it_is_granted_many_times(
        self, paid, unlocked, keyless
    ):
        self.storm(paid)

        assert effects().credits == self.CALLERS * 300
        assert audits.verify() != []

    def test_without_the_forms_key_a_double_click_is_many_purchases(self, shop):
        at = now()
        keys = [uuid4().hex for _ in range(self.CALLERS)]

        all_at_once([partial(shop.insist, form_key=key, at=at) for key in keys])

        assert Purchase.objects.count() == self.CALLERS
