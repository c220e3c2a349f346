"""Files and incidents that many work on, or decide on, at once: each row once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import adjusting, batches, bulk_adjusting, making_good
from billing.models import BatchState, BulkFile, MakeGood, MakeGoodDebit
from credits import audits
from credits.models import LedgerEntry, Wallet
from tests.billing.batches import (
    WHY,
    carried_out,
    incident,
    line,
    made_good,
    proposed,
    sheet,
    spend,
    staff,
)
from tests.concurrency.racing import CALLERS, race, tally
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

LATER = NOW + timedelta(minutes=1)
ROWS, WORKERS = 8, 6
# What the database's own guards say to those who come second.
STOPPED = {"IntegrityError", "InternalError", "DatabaseError"}


@pytest.fixture
def wallets():
    return [
        make_wallet(make_account(f"No. {n}"), {f"plan{n}": (100, None)})
        for n in range(4)
    ]


@pytest.fixture
def file(wallets) -> BulkFile:
    rows = [line(wallets[n % 4].account, n + 1) for n in range(ROWS)]
    return proposed(sheet(*rows), by=staff())


@pytest.fixture
def without_lock(monkeypatch):
    """Whoever works takes what is under way, whoever else is at it."""
    monkeypatch.setattr(
        batches,
        "next_under_way",
        lambda model: model.objects.filter(state=BatchState.APPROVED).first(),
    )


def work(_: int) -> object:
    return bulk_adjusting.carry_out(limit=ROWS, at=LATER)


def give_back(_: int) -> object:
    return making_good.give_back(limit=4, at=LATER)


class TestFile:
    def test_that_many_carry_out_is_made_once(self, file, wallets):
        race(work, rounds=WORKERS, threads=WORKERS)

        file = carried_out(file, at=LATER)
        added = sum(range(1, ROWS + 1))
        assert (file.state, file.done, file.failures) == (BatchState.DONE, ROWS, [])
        assert sum(one.available for one in Wallet.objects.all()) == 400 + added
        assert LedgerEntry.objects.filter(actor="adjustment").count() == ROWS
        assert audits.verify() == []

    @pytest.mark.twin
    def test_without_its_lock_is_stopped_by_the_database_alone(
        self, file, wallets, without_lock
    ):
        outcomes = race(work, rounds=WORKERS, threads=WORKERS)

        assert tally(outcomes).keys() & STOPPED
        assert LedgerEntry.objects.filter(actor="adjustment").count() <= ROWS
        assert audits.verify() == []

    def test_that_many_approve_is_approved_once(self, wallets):
        file = proposed(sheet(line(wallets[0].account, 900)), by=staff())
        others = [staff() for _ in range(CALLERS)]

        outcomes = race(
            lambda n: batches.approve(file, by=others[n], at=NOW),
            rounds=CALLERS,
            threads=CALLERS,
        )

        assert tally(outcomes) == {"BulkFile": 1, "DecidedBefore": CALLERS - 1}

    def test_that_many_send_at_once_is_one(self, wallets):
        content, by = sheet(line(wallets[0].account, 5)), staff()

        race(
            lambda _: bulk_adjusting.check(content, name="", by=by, at=NOW),
            rounds=CALLERS,
            threads=CALLERS,
        )

        assert BulkFile.objects.count() == 1


class TestIncident:
    def test_that_many_propose_has_each_debit_once(self, wallets):
        for number, wallet in enumerate(wallets):
            spend(wallet, ("look", 5), key=f"job{number}")
        makers = [staff() for _ in range(CALLERS)]

        outcomes = race(
            lambda n: made_good(incident("look"), by=makers[n], form_key=f"form{n}"),
            rounds=CALLERS,
            threads=CALLERS,
        )
        making_good.give_back(limit=100, at=LATER)

        assert tally(outcomes)["MakeGood"] == 1
        assert MakeGoodDebit.objects.count() == 4
        assert all(
            isinstance(one, adjusting.AdjustmentRefused | MakeGood) for one in outcomes
        )
        assert [one.available for one in Wallet.objects.order_by("pk")] == [100] * 4

    def test_that_many_give_back_is_given_once(self, wallets):
        for number, wallet in enumerate(wallets):
            spend(wallet, ("look", 5), key=f"job{number}")
        made_good(incident("look"), by=staff())

        outcomes = race(give_back, rounds=CALLERS, threads=CALLERS)
        making_good.give_back(limit=100, at=LATER)

        assert tally(outcomes) == {"int": CALLERS}
        assert LedgerEntry.objects.filter(kind="REVERSE").count() == 4
        assert [one.available for one in Wallet.objects.order_by("pk")] == [100] * 4
        assert audits.verify() == []

    @pytest.mark.twin
    def test_without_its_lock_is_stopped_by_the_database_alone(
        self, wallets, without_lock
    ):
        for number, wallet in enumerate(wallets):
            spend(wallet, ("look", 5), key=f"job{number}")
        made_good(incident("look"), by=staff())

        outcomes = race(give_back, rounds=CALLERS, threads=CALLERS)

        assert tally(outcomes).keys() & STOPPED
        assert LedgerEntry.objects.filter(kind="REVERSE").count() <= 4
        assert audits.verify() == []

    def test_that_many_undo_is_undone_once(self, wallets):
        for number, wallet in enumerate(wallets):
            spend(wallet, ("look", 5), key=f"job{number}")
        done, makers = made_good(incident("look"), by=staff()), [staff(), staff()]
        making_good.give_back(limit=100, at=LATER)

        outcomes = race(
            lambda n: making_good.propose_undo(
                done.pk, comment=WHY, ticket="", by=makers[n % 2], at=LATER
            ),
            rounds=CALLERS,
            threads=CALLERS,
        )
        race(give_back, rounds=CALLERS, threads=CALLERS)
        making_good.give_back(limit=100, at=LATER)

        assert tally(outcomes) == {"MakeGood": 1, "AdjustmentRefused": CALLERS - 1}
        assert [one.available for one in Wallet.objects.order_by("pk")] == [95] * 4
        assert audits.verify() == []
