"""One adjustment, decided by many at once: it happens once or not at all."""

from __future__ import annotations

from threading import Barrier

import pytest

from billing import adjusting
from billing.adjusting import deciding
from billing.models import Adjustment, AdjustmentState
from credits import audits
from credits.models import LedgerEntry, Wallet
from tests.billing.adjustments import add, adjust, make_admin, propose
from tests.concurrency.racing import CALLERS, race, tally
from tests.conftest import NOW
from tests.factories import make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture
def proposed() -> Adjustment:
    return propose(add(make_wallet().account, 600), make_admin())


@pytest.fixture
def admins():
    return [make_admin() for _ in range(CALLERS)]


def approve_at_once(proposed, admins) -> dict[str, int]:
    return tally(
        race(
            lambda n: adjusting.approve(proposed.pk, by=admins[n], at=NOW),
            rounds=len(admins),
            threads=len(admins),
        )
    )


def effects() -> tuple[int, int]:
    balance = Wallet.objects.get().balance
    return balance, LedgerEntry.objects.filter(kind="GRANT").count()


class TestApprove:
    def test_by_many_at_once_has_one_effect(self, proposed, admins):
        outcomes = approve_at_once(proposed, admins)

        assert outcomes == {"Adjustment": 1, "DecidedBefore": CALLERS - 1}
        assert effects() == (600, 1)
        assert audits.verify() == []

    @pytest.mark.twin
    def test_without_its_lock_is_stopped_by_the_database_alone(
        self, proposed, admins, monkeypatch
    ):
        some = admins[:8]  # no more than there are connections
        gate = Barrier(len(some))

        def read_together(pk):
            found = Adjustment.objects.get(pk=pk)
            gate.wait(timeout=30)
            return found

        monkeypatch.setattr(deciding, "_locked", read_together)

        outcomes = approve_at_once(proposed, some)

        assert outcomes == {"Adjustment": 1, "IntegrityError": len(some) - 1}
        assert effects() == (600, 1)

    def test_against_rejecting_and_withdrawing_lets_one_win(self, proposed, admins):
        decisions = [
            lambda by: adjusting.approve(proposed.pk, by=by, at=NOW),
            lambda by: adjusting.reject(proposed.pk, by=by, reason="No", at=NOW),
            lambda _: adjusting.withdraw(proposed.pk, by=proposed.proposed_by, at=NOW),
        ]

        outcomes = race(
            lambda n: decisions[n % 3](admins[n]), rounds=CALLERS, threads=CALLERS
        )

        assert tally(outcomes) == {"Adjustment": 1, "DecidedBefore": CALLERS - 1}
        proposed.refresh_from_db()
        is_made = proposed.state == AdjustmentState.MADE
        assert effects() == ((600, 1) if is_made else (0, 0))


class TestPropose:
    def test_of_one_form_sent_many_times_is_one(self):
        ada, account = make_admin(), make_wallet().account

        race(
            lambda _: adjust(add(account, 100), ada, form_key="one"),
            rounds=CALLERS,
            threads=CALLERS,
        )

        assert effects() == (100, 1)

    def test_of_many_forms_shares_the_limit_of_a_day(self, settings):
        settings.ADJUSTMENT_DAILY_LIMIT = 500
        ada, account = make_admin(), make_wallet().account

        race(
            lambda n: propose(add(account, 100), ada, form_key=f"form{n}"),
            rounds=CALLERS,
            threads=CALLERS,
        )

        alone = Adjustment.objects.filter(approvals_needed=0)
        assert alone.count() == 5
