"""Among many objects all breaks are found and named, and none falsely."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from random import Random

import pytest

from accounts.models import Role
from billing.finance import stripe_balance
from billing.models import Break, BreakKind, BreakState, Purchase, PurchaseState
from billing.reconciling import reading, running
from billing.reconciling.comparing import differences
from credits import audits, ledger
from credits.models import GrantSource
from tests.billing.drift import DISPUTED_CARD, SOWN, History, credits_of, lived
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REPAIRED = {
    BreakKind.PAID_WITHOUT_GRANT,
    BreakKind.REFUND_UNPOSTED,
    BreakKind.DISPUTE_UNPOSTED,
    BreakKind.SUBSCRIPTION_DIFFERS,
}


@pytest.fixture
def history(wire) -> History:
    return lived(wire)


def copy_purchases(history: History, number: int) -> None:
    """Let the purchase have been made so many times more, here and at Stripe."""
    copy_at_stripe(history, number)
    copies = [copy_of(history.purchase, place) for place in range(number)]
    ledger.grant_batch(
        [
            ledger.Grant(
                wallet_id=history.wallet_id,
                source=GrantSource.PURCHASE,
                source_key=one.source_key,
                credits=300,
                cost_basis_cents=1_500,
                effective_at=history.at,
                expires_at=None,
                actor="test",
                reason=one.public_id,
            )
            for one in Purchase.objects.bulk_create(copies)
        ],
        at=history.at,
    )


def copy_of(first: Purchase, place: int) -> Purchase:
    return Purchase(
        public_id=f"pur_copy{place}",
        account=first.account,
        buyer=first.buyer,
        offer=first.offer,
        form_key=f"copy {place}",
        state=PurchaseState.PAID,
        blocks_asked=3,
        blocks_paid=3,
        currency="usd",
        paid_cents=1_500,
        stripe_session_id=f"cs_copy{place}",
        stripe_payment_intent_id=f"pi_copy{place}",
        opened_at=first.opened_at,
        paid_at=first.paid_at,
    )


def copy_at_stripe(history: History, number: int) -> None:
    store, first = history.plans.wire.sandbox.store, history.purchase
    [session] = store.find("checkout.session", id=first.stripe_session_id)
    [charge] = store.find("charge", payment_intent=first.stripe_payment_intent_id)
    [movement] = store.find("balance_transaction", source=charge["id"])
    for place in range(number):
        names = {
            first.public_id: f"pur_copy{place}",
            first.stripe_payment_intent_id: f"pi_copy{place}",
            first.stripe_session_id: f"cs_copy{place}",
            charge["id"]: f"ch_copy{place}",
            movement["id"]: f"txn_copy{place}",
        }
        with store.transaction():
            for one in (session, charge, movement):
                store.insert(renamed(one, names), {})


def renamed(body: dict, names: dict[str, str]) -> dict:
    copy = deepcopy(body)
    for name, value in body.items():
        if isinstance(value, str):
            copy[name] = names.get(value, value)
        elif isinstance(value, dict):
            copy[name] = renamed(value, names)
    return copy


def sow_all(history: History) -> set[tuple[str, str]]:
    """Make one break of each kind, each of another purchase."""
    bought = [history.buy() for _ in SOWN]
    for purchase in bought:
        history.settle(purchase)
    sown = set()
    for purchase, (kind, sow) in zip(bought, SOWN.items(), strict=True):
        history.purchase = purchase
        sown.add((kind, sow(history)))
    return sown


def found(history: History) -> set[tuple[str, str]]:
    return {
        (one.kind, one.subject)
        for one in differences(reading.read(None), at=history.at)
    }


class TestAllKinds:
    @pytest.mark.parametrize(
        "copies", [30, pytest.param(3_330, marks=pytest.mark.full)]
    )
    def test_are_found_among_many_and_none_falsely(self, history, copies):
        copy_purchases(history, copies)
        history.later(HOUR)
        books = reading.read(None)
        stripe_balance.keep(books.movements, at=history.at)
        assert books.size >= 3 * copies
        assert found(history) == set()

        sown = sow_all(history)
        history.later(HOUR)

        assert found(history) == sown
        assert {kind for kind, _ in sown} == set(BreakKind)

    def test_are_repaired_once_where_that_is_safe(self, history):
        history.later(HOUR)
        stripe_balance.keep(reading.read(None).movements, at=history.at)
        sown = sow_all(history)
        history.plans.wire.sandbox.store.sql("DELETE FROM objects WHERE kind = 'event'")
        history.later(HOUR)

        done = []
        for _ in range(3):
            asked = running.ask(since=None, by=None, at=history.at)
            done.append(running.run(asked, repairs_all=True, at=history.at))
            history.later(HOUR)

        assert [one.found for one in done] == [13, 9, 9]
        assert done[0].repaired >= len(REPAIRED)
        left = {pair for pair in sown if pair[0] not in REPAIRED}
        assert found(history) == left
        still_open = Break.objects.filter(state=BreakState.OPEN)
        assert set(still_open.values_list("kind", "subject")) == left


class TestMissedEvents:
    """Battery row 12: a third of the deliveries never come, for three days."""

    @pytest.mark.parametrize("seed", [1, 2])
    def test_are_received_later_and_nothing_is_left_to_do(self, history, seed):
        chance = Random(seed)  # noqa: S311 - to be repeated, not guessed
        bought = live_three_days(history, chance)

        first = running.run(asked(history), at=history.at)
        second = running.run(asked(history), at=history.at)

        assert first.missed > 0
        assert (second.missed, second.found, second.repaired) == (0, 0, 0)
        assert not Break.objects.filter(state=BreakState.OPEN).exists()
        assert [credits_of(one) for one in bought] == [200] * len(bought)
        assert audits.verify() == []


def asked(history: History):
    """An hour later; the sweeper has seen to what had failed."""
    history.later(HOUR)
    history.plans.work_off()
    return running.ask(since=history.at - 4 * DAY, by=None, at=history.at)


def live_three_days(history: History, chance: Random) -> list[Purchase]:
    """Buy, refund, dispute, subscribe and cancel; hear two thirds of it."""
    client, bought = history.plans.wire.client().v1, []
    for _ in range(9):
        bought.append(history.buy(chance.choice(["4242424242424242", DISPUTED_CARD])))
        client.refunds.create(
            {
                "payment_intent": history.purchase.stripe_payment_intent_id,
                "amount": 100,
            }
        )
        account = make_account()
        make_member(account, Role.OWNER)
        history.plans.pay_for(account, "creator")
        history.later(8 * HOUR)
        for event in history.plans.news():
            if chance.random() > 0.3:
                history.plans.receive(event)
        history.plans.work_off()
    return bought
