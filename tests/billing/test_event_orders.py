"""Whatever order Stripe's events come in, and however often: one outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Account, Role, User
from billing import stripe_gateway
from billing.models import Invoice, Purchase, Reload
from billing.reloads import charging, confirming
from credits import ledger
from credits.models import Wallet
from tests.billing.bank import Bank
from tests.billing.changes import change, tell_prices
from tests.billing.conftest import buy
from tests.billing.orders import orders, outcome_of
from tests.billing.plans import Plans
from tests.billing.reloads import (
    CARD_WITH_3DS,
    FAILING_CARD,
    GOOD_CARD,
    HOUR,
    MINUTE,
    agree,
    consider,
    reload,
    save_card,
    use,
)
from tests.conftest import NOW
from tests.factories import job, make_account, make_member

pytestmark = pytest.mark.django_db
most = pytest.mark.parametrize("most", [4, pytest.param(500, marks=pytest.mark.full)])
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def plans(wire) -> Plans:
    tell_prices()
    return Plans(wire)


@pytest.fixture
def deaf(plans) -> Bank:
    """A bank of whose doings nobody has heard yet."""
    return Bank(plans, hears=False)


@pytest.fixture
def account(plans) -> Account:
    account = make_account()
    make_member(account, Role.OWNER, "owner@example.com")
    return account


@pytest.fixture
def owner(account) -> User:
    return account.memberships.get().user


@pytest.fixture
def paid(plans, account, owner) -> Purchase:
    """300 credits, paid on Stripe's page; nobody has heard of that yet."""
    plans.subscribe(account, "business")
    purchase = buy(account, owner, blocks=3)
    plans.news()
    plans.wire.pay(purchase.stripe_session_id)
    # Its bank knows of it by Stripe's id, which the portal has yet to hear.
    [session] = [
        session
        for session in plans.wire.sessions()
        if session["id"] == purchase.stripe_session_id
    ]
    purchase.intent_id = session["payment_intent"]
    return purchase


def spend(account, credits: int) -> None:
    ledger.spend(job(Wallet.objects.get(account=account), credits), at=NOW)


def assert_one_outcome(plans, *, most: int, at=LATER) -> dict:
    events = plans.news()
    first, *others = (outcome_of(order, at=at) for order in orders(events, most=most))
    assert others
    for other in others:
        assert other == first
    assert first["findings"] == []
    return first


@most
class TestOfAPurchase:
    def test_paid(self, plans, paid, most):
        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Purchase"] == [("PAID", 3, 1_500)]

    def test_disputed_and_lost(self, plans, account, deaf, paid, most):
        spend(account, 1_450)
        deaf.decide("lose", deaf.dispute(paid))

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Dispute"] == [("LOST", "TAKEN", 300, 0, 0)]

    def test_disputed_and_won(self, plans, deaf, paid, most):
        deaf.decide("win", deaf.dispute(paid))

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Dispute"] == [("WON", "NONE", 0, 0, 0)]

    def test_asked_about_and_then_disputed(self, plans, deaf, paid, most):
        opened = deaf.dispute(paid, "inquiry")
        deaf.decide("escalate", opened)

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Dispute"] == [("NEEDS_RESPONSE", "FROZEN", 0, 0, 0)]

    def test_warned_about_and_disputed(self, plans, deaf, paid, most):
        deaf.warn(paid)
        deaf.decide("lose", deaf.dispute(paid))

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["FraudWarning"] == [("DISPUTED", False)]
        assert outcome["Dispute"] == [("LOST", "TAKEN", 300, 0, 0)]

    def test_refunded_in_parts(self, plans, account, deaf, paid, most):
        spend(account, 1_450)
        deaf.refund(paid, cents=500)
        deaf.refund(paid, cents=499)

        outcome = assert_one_outcome(plans, most=most)

        [wallet] = outcome["Wallet"]
        assert wallet[0] == 1_800 - 1_450 - 199
        assert sum(refund[2] for refund in outcome["Refund"]) == 199


@most
class TestOfAPlan:
    def test_begun(self, plans, account, most):
        plans.pay_for(account, "business")

        outcome = assert_one_outcome(plans, most=most)

        assert [grant[1] for grant in outcome["CreditGrant"]] == [1_500]

    def test_renewal_disputed_and_lost(self, plans, account, deaf, most):
        plans.subscribe(account, "business")
        deaf.decide("lose", deaf.dispute(Invoice.objects.get()))

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Dispute"] == [("LOST", "TAKEN", 1_500, 0, 0)]

    def test_upgraded(self, plans, account, owner, most):
        plans.subscribe(account, "creator")
        change(plans, account, owner, "pro-1000")

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["PlanChange"] == [("UPGRADE", "DONE")]


@most
class TestOfAReload:
    """What the charge itself did not answer: events alone tell of it (R51, R52)."""

    @pytest.fixture
    def agreed(self, plans, account, owner):
        """400 of 1,500 credits are left, and a card may be charged below 500."""

        def agree_to(token: str) -> stripe_gateway.SavedCard:
            plans.subscribe(account, "business")
            card = save_card(plans.wire, account, token)
            agree(account, owner, card)
            use(account, 1_100)
            plans.hear()
            return card

        return agree_to

    def charge_in_silence(self, wire, reload_id: int, *, at=NOW) -> None:
        wire.fail_next("timeout_after_commit", on="POST /v1/payment_intents", times=3)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            charging.charge(reload_id=reload_id, at=at)

    def test_paid(self, plans, account, agreed, most):
        agreed(GOOD_CARD)
        self.charge_in_silence(plans.wire, consider(account).reload_id)

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Reload"] == [("PAID", 1, 0, "", None)]
        assert outcome["Purchase"] == [("PAID", 3, 1_500)]
        assert [wallet[0] for wallet in outcome["Wallet"]] == [400 + 300]

    def test_declined(self, plans, account, agreed, most):
        agreed(FAILING_CARD)
        self.charge_in_silence(plans.wire, consider(account).reload_id)

        outcome = assert_one_outcome(plans, most=most)

        again_at = LATER + HOUR
        assert outcome["Reload"] == [("WAITING", 1, 1, "generic_decline", again_at)]
        assert outcome["Purchase"] == [("OPEN", None, None)]

    def test_declined_and_then_paid(self, plans, account, agreed, most):
        card = agreed(FAILING_CARD)
        declined = reload(account)
        plans.wire.at(NOW + HOUR)
        plans.wire.sandbox.store.note(card.id, card="4242424242424242")
        self.charge_in_silence(plans.wire, declined.pk, at=NOW + HOUR)

        outcome = assert_one_outcome(plans, most=most, at=NOW + HOUR + MINUTE)

        assert outcome["Reload"] == [("PAID", 2, 1, "generic_decline", None)]
        assert outcome["AutoReload"] == [(True, "")]
        assert [wallet[0] for wallet in outcome["Wallet"]] == [400 + 300]

    def test_confirmed_with_the_bank(self, plans, account, agreed, most):
        agreed(CARD_WITH_3DS)
        stopped = reload(account)
        confirming.open_page(stopped, at=NOW)
        session_id = Reload.objects.get().purchase.stripe_session_id
        plans.wire.pay(session_id, card="4000002760003184")
        plans.wire.answer_challenge(session_id, approve=True)

        outcome = assert_one_outcome(plans, most=most)

        assert outcome["Reload"] == [("PAID", 1, 0, "authentication_required", None)]
        assert outcome["Purchase"] == [("PAID", 3, 1_500)]
        assert [wallet[0] for wallet in outcome["Wallet"]] == [400 + 300]
