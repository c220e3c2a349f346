"""The plug is pulled between “paid” and “granted”: the credits arrive, and once."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from accounts.models import AuditEvent, Notice, Role
from billing.models import Purchase, WebhookEvent
from billing.plans import catalogue
from billing.purchases import purchasing
from config.clock import now
from config.demo import accounts
from credits import audits
from credits.models import CreditGrant, GrantSource, Wallet
from tests.faults.conftest import eventually
from tests.faults.worker import Moment

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
# By then the lease of whoever died has ended, and the sweeper has its turn.
LATER = 2
# The sweeper, too, waits longer after each try.
MUCH_LATER = 10


@dataclass(frozen=True)
class Effects:
    """Everything that a payment may do once."""

    available: int
    grants: int
    audited: int
    receipts: int


NOTHING_YET = Effects(available=1_500, grants=0, audited=0, receipts=0)
ONCE = Effects(available=1_800, grants=1, audited=1, receipts=1)


def effects() -> Effects:
    return Effects(
        available=Wallet.objects.get().available,
        grants=CreditGrant.objects.filter(source=GrantSource.PURCHASE).count(),
        audited=AuditEvent.objects.filter(action="purchase.paid").count(),
        receipts=Notice.objects.filter(
            kind="receipt", recipient="owner@northwind.example"
        ).count(),
    )


@pytest.fixture
def purchase(portal) -> Purchase:
    """Three blocks that Northwind's owner is about to pay."""
    account = accounts.make(accounts.NORTHWIND, at=now())
    return purchasing.buy_blocks(
        account=account,
        buyer=account.memberships.get(role=Role.OWNER).user,
        offer=catalogue.blocks_in_force(at=now()),
        blocks=3,
        form_key="form",
        at=now(),
    )


def await_end(worker) -> None:
    assert worker.wait(timeout=60) == -signal.SIGKILL


def restart(portal, *, minutes_later) -> None:
    """Let a new worker do all that is due, and then end it."""
    portal.sweep()
    portal.start_worker(minutes_later=minutes_later)
    eventually(lambda: portal.waiting_tasks() == 0)
    portal.stop()


class TestKilledWorker:
    @pytest.mark.parametrize(
        ("moment", "so_far"),
        [
            (Moment.FETCHED, NOTHING_YET),
            (Moment.GRANTED, NOTHING_YET),
            (Moment.COMMITTED, ONCE),
        ],
        ids=[moment.name.lower() for moment in Moment],
    )
    def test_its_work_is_finished_once(self, portal, purchase, moment, so_far):
        portal.start_web()
        doomed = portal.start_worker(dies=moment)
        portal.sandbox.pay(purchase.checkout_url)
        await_end(doomed)
        assert effects() == so_far
        assert portal.waiting_tasks() > 0

        portal.redeliver()
        restart(portal, minutes_later=LATER)

        assert effects() == ONCE
        assert audits.verify() == []

    def test_the_broker_may_forget_everything(self, portal, purchase):
        portal.start_web()
        doomed = portal.start_worker(dies=Moment.GRANTED)
        portal.sandbox.pay(purchase.checkout_url)
        await_end(doomed)
        portal.flush_valkey()

        restart(portal, minutes_later=LATER)

        assert effects() == ONCE
        assert audits.verify() == []

    def test_the_webhook_may_never_come(self, portal, purchase):
        portal.sandbox.pay(purchase.checkout_url)
        portal.sweep()
        doomed = portal.start_worker(dies=Moment.GRANTED, minutes_later=LATER)
        await_end(doomed)
        assert effects() == NOTHING_YET

        portal.flush_valkey()
        restart(portal, minutes_later=MUCH_LATER)

        assert effects() == ONCE
        assert WebhookEvent.objects.count() == 0
        assert audits.verify() == []
