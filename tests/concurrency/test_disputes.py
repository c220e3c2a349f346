"""A dispute looked at by many at once, while jobs use what it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

import pytest

from accounts.models import Account, AuditEvent, Notice, Role
from billing import payments, stripe_gateway
from billing.disputes import disputing, freezing
from billing.models import Dispute
from billing.plans import catalogue
from billing.purchases import settling
from credits import audits, ledger
from credits.models import LedgerEntry, Wallet
from tests.billing.bank import Bank
from tests.billing.conftest import buy, connected, on_plan
from tests.billing.plans import Plans
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import job, make_member
from tests.stripe_wire import SECRET_KEY

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
LOOKS = 8
LATER = NOW + timedelta(minutes=1)


@dataclass(frozen=True)
class Case:
    """300 bought credits, and a dispute of them that was lost."""

    account: Account
    fetched: stripe_gateway.StripeDispute

    def look(self, _: int) -> str:
        return disputing.apply_dispute(self.fetched, at=LATER)


@pytest.fixture
def case(transactional_db, settings):
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    catalogue.publish(catalogue.read(), currency="usd")
    with connected() as wire:
        wire.at(NOW)
        account = on_plan("business")
        owner = make_member(account, Role.OWNER, "alice@example.com")
        purchase = buy(account, owner, blocks=3)
        wire.pay(purchase.stripe_session_id)
        settling.settle(session_id=purchase.stripe_session_id, at=NOW)
        bank = Bank(Plans(wire), hears=False)
        opened = bank.dispute(purchase)
        bank.decide("lose", opened)
        yield Case(account, stripe_gateway.dispute(opened))


def effects() -> dict[str, int]:
    entries = LedgerEntry.objects.filter(idempotency_key__startswith="dispute:")
    return {
        "disputes": Dispute.objects.count(),
        "freezes": entries.filter(kind="FREEZE").count(),
        "takings": entries.filter(kind="REVOKE").count(),
        "audited": AuditEvent.objects.filter(action="dispute.followed").count(),
        "told": Notice.objects.filter(kind="dispute_lost").count(),
    }


ONCE = {"disputes": 1, "freezes": 1, "takings": 1, "audited": 1, "told": 1}


class TestOneDispute:
    def test_looked_at_by_many_at_once_has_one_effect(self, case):
        outcomes = race(case.look, rounds=LOOKS, threads=LOOKS)

        assert outcomes == ["lost"] * LOOKS
        assert effects() == ONCE
        assert audits.verify() == []

    def test_takes_or_lets_owe_each_credit_once_while_jobs_run(self, case):
        wallet = Wallet.objects.get(account=case.account)
        ledger.spend(job(wallet, 1_500), at=NOW)

        def work(n: int) -> object:
            if n % 2:
                return case.look(n)
            return ledger.spend(job(wallet, 50, f"race:{n}"), at=LATER)

        outcomes = race(work, rounds=2 * LOOKS, threads=LOOKS)

        spent = 50 * tally(outcomes)["Spent"]
        dispute = Dispute.objects.get()
        assert (dispute.removed_credits, dispute.debt_credits) == (300 - spent, spent)
        wallet.refresh_from_db()
        assert (wallet.balance, wallet.debt) == (0, spent)
        assert audits.verify() == []


@pytest.mark.twin
class TestNegativeControl:
    def test_without_locks_looks_get_in_each_others_way(self, case, monkeypatch):
        gate = Barrier(LOOKS)

        def read_without_lock(intent_id, *, at):
            payment = payments.payment_of(intent_id)
            gate.wait(timeout=30)
            return payment

        monkeypatch.setattr(freezing, "locked_payment", read_without_lock)

        outcomes = race(case.look, rounds=LOOKS, threads=LOOKS)

        assert outcomes != ["lost"] * LOOKS
