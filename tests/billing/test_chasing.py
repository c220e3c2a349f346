"""The sweeper brings every purchase to an end, whoever else fell silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import stripe_gateway, tasks
from billing.models import Purchase, PurchaseState
from billing.subscriptions import chasing
from billing.webhooks import inbox
from tests.billing.conftest import available, buy, event_of
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def sweep(monkeypatch, *, at) -> None:
    monkeypatch.setattr(tasks, "now", lambda: at)
    tasks.sweep()


def sweep_for(monkeypatch, hours: int) -> None:
    """Sweep each minute, as beat does."""
    for minute in range(hours * 60):
        sweep(monkeypatch, at=NOW + timedelta(minutes=minute))


class TestSweep:
    def test_grants_what_was_paid_when_no_webhook_came(
        self, wire, business, alice, monkeypatch
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)

        sweep(monkeypatch, at=NOW + timedelta(minutes=1))

        assert available(business) == 1_800

    def test_closes_what_nobody_paid(self, wire, business, alice, monkeypatch):
        purchase = buy(business, alice)
        wire.at(NOW + timedelta(hours=3))

        sweep_for(monkeypatch, hours=3)

        purchase.refresh_from_db()
        assert (purchase.state, purchase.next_check_at) == (PurchaseState.EXPIRED, None)

    def test_asks_less_and_less_often(self, wire, business, alice, monkeypatch):
        buy(business, alice)
        asked = len(wire.http_client.requests)

        sweep_for(monkeypatch, hours=1)

        reads = wire.http_client.requests[asked:]
        assert len([read for read in reads if "line_items" not in read]) == 6

    def test_opens_a_page_that_stripe_could_not_open(
        self, wire, business, alice, monkeypatch
    ):
        wire.fail_next("reset", on="POST /v1/checkout/sessions", times=3)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            buy(business, alice)

        sweep(monkeypatch, at=NOW + timedelta(minutes=1))

        assert Purchase.objects.get().checkout_url == wire.sessions()[0]["url"]

    def test_gives_up_an_order_that_never_reached_stripe(
        self, wire, business, alice, monkeypatch
    ):
        wire.fail_next("reset", on="POST /v1/checkout/sessions", times=100)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            buy(business, alice)

        sweep_for(monkeypatch, hours=1)

        assert Purchase.objects.get().state == PurchaseState.EXPIRED
        assert wire.sessions() == []

    def test_looks_at_what_webhooks_told_of_when_no_worker_did(
        self, wire, business, alice, monkeypatch
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        Purchase.objects.update(next_check_at=None)
        [completed] = wire.events("checkout.session.completed")
        inbox.receive(event_of(completed), at=NOW)

        sweep(monkeypatch, at=NOW + timedelta(minutes=1))

        assert available(business) == 1_800

    def test_one_that_fails_harms_no_other(self, wire, business, alice, monkeypatch):
        broken, paid = buy(business, alice), buy(business, alice)
        Purchase.objects.filter(pk=broken.pk).update(stripe_session_id="cs_unknown")
        wire.pay(paid.stripe_session_id)

        sweep(monkeypatch, at=NOW + timedelta(minutes=1))

        assert available(business) == 1_800

    def test_stripe_being_away_ends_no_purchase(
        self, wire, business, alice, monkeypatch
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        wire.fail_next("reset", on="GET", times=9)

        sweep_for(monkeypatch, hours=1)

        assert available(business) == 1_800


class TestLookAfter:
    def test_leaves_alone_what_is_not_due(self, wire, business, alice):
        purchase = buy(business, alice)
        asked = len(wire.http_client.requests)

        chasing.look_after(purchase_id=purchase.pk, at=NOW)

        assert len(wire.http_client.requests) == asked
