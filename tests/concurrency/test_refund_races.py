"""One payment, refunded by many at once: never more goes back than was paid."""

from __future__ import annotations

from contextlib import suppress
from time import sleep

import pytest

from billing import payments, stripe_gateway
from billing.models import Refund, RefundState
from billing.plans import catalogue
from billing.purchases import settling
from billing.refunds import refunding
from billing.refunds.refunding import Extent, RefundRefused
from billing.webhooks import inbox
from credits import audits
from credits.models import CreditGrant, LedgerEntry
from tests.billing.conftest import buy, connected, event_of, on_plan
from tests.concurrency.racing import CALLERS, race, tally
from tests.conftest import NOW
from tests.factories import make_member
from tests.stripe_wire import SECRET_KEY

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
PAID_CENTS = 500


@pytest.fixture
def shop(settings):
    """A paid block, its buyer, and the wire."""
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    catalogue.publish(catalogue.read(), currency="usd")
    account = on_plan("business")
    buyer = make_member(account, "OWNER")
    with connected() as wire:
        wire.at(NOW)
        purchase = buy(account, buyer, blocks=1)
        wire.pay(purchase.stripe_session_id)
        settling.settle(session_id=purchase.stripe_session_id, at=NOW)
        purchase.refresh_from_db()
        yield wire, payments.payment_for(purchase), buyer


def ask(shop, cents: int, form_key: str) -> Refund:
    _, payment, buyer = shop
    previewed = refunding.preview(payment, Extent.AMOUNT, cents=cents, at=NOW)
    return refunding.ask(
        payment, previewed, by=buyer, reason="race", form_key=form_key, at=NOW
    )


def sweep() -> None:
    """Do what the sweeper does until every refund has its answer."""
    for refund in Refund.objects.filter(state=RefundState.ASKED):
        refunding.carry_out(refund, at=NOW)


def spoken_for() -> int:
    asked = Refund.objects.exclude(state=RefundState.FAILED)
    return sum(asked.values_list("amount_cents", flat=True))


class TestRefund:
    def test_of_one_form_is_made_once(self, shop):
        race(lambda _: ask(shop, 200, "one"), rounds=CALLERS, threads=CALLERS)
        sweep()

        [charge] = shop[0].charges()
        assert charge["amount_refunded"] == 200
        assert LedgerEntry.objects.filter(kind="REVOKE").count() == 1
        assert audits.verify() == []

    def test_of_many_forms_stops_at_what_was_paid(self, shop):
        outcomes = race(
            lambda n: ask(shop, 100, f"form{n}"), rounds=CALLERS, threads=CALLERS
        )
        sweep()

        made = tally(outcomes)
        assert made["RefundRefused"] == CALLERS - made["Refund"]
        assert spoken_for() == PAID_CENTS
        assert CreditGrant.objects.get(source="PURCHASE").remaining == 0
        assert audits.verify() == []

    def test_told_by_page_webhook_and_sweeper_at_once_is_posted_once(self, shop):
        wire, payment, _ = shop
        wire.client().v1.refunds.create(
            {"payment_intent": payment.payment_intent_id, "amount": 200}
        )
        [told] = [e for e in wire.events() if e["type"] == "refund.created"]
        subject_id = inbox.receive(event_of(told), at=NOW)
        fetched = stripe_gateway.refunds_of(payment.payment_intent_id)

        def hear(n: int) -> None:
            if n % 2:
                inbox.look_at(subject_id, at=NOW)
            else:
                refunding.taking_back.apply_refunds(fetched, at=NOW)

        race(hear, rounds=CALLERS, threads=CALLERS)

        assert Refund.objects.count() == 1
        assert LedgerEntry.objects.filter(kind="REVOKE").count() == 1
        assert audits.verify() == []


class TestNegativeControl:
    def test_without_the_payments_lock_too_much_is_asked_for(self, shop, monkeypatch):
        """The twin of the race above: it must fail without the lock."""
        record = refunding.auditing.record
        monkeypatch.setattr(refunding.payments, "lock", lambda _: None)

        def slowly(**what):
            sleep(0.2)  # what was recorded is not committed yet
            return record(**what)

        monkeypatch.setattr(refunding.auditing, "record", slowly)
        monkeypatch.setattr(refunding, "carry_out", lambda *_, **__: None)

        race(lambda n: _try(shop, n), rounds=CALLERS, threads=CALLERS)

        assert spoken_for() > PAID_CENTS


def _try(shop, n: int) -> None:
    with suppress(RefundRefused):
        ask(shop, 100, f"form{n}")
