"""The races of this folder fail when what prevents them is taken away.

A race that cannot fail proves nothing.
"""

from __future__ import annotations

import pytest

from credits import audits, ledger
from credits.models import LedgerEntry
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.mark.twin
class TestHotWallet:
    def test_breaks_without_the_wallets_lock(self, without_lock):
        wallet = make_wallet(grants={"a": (300, None)})

        outcomes = race(
            lambda n: ledger.spend(job(wallet, credits=1, key=str(n)), at=NOW),
            rounds=400,
            threads=16,
        )

        assert tally(outcomes) != {"Spent": 300, "InsufficientCredits": 100}

    def test_loses_debits_without_lock_and_numbers(
        self, without_lock, without_unique_keys
    ):
        wallet = make_wallet(grants={"a": (300, None)})

        race(
            lambda n: ledger.spend(job(wallet, credits=1, key=str(n)), at=NOW),
            rounds=400,
            threads=16,
        )

        assert {finding.check[:2] for finding in audits.verify()} >= {"I1", "I2"}


@pytest.mark.twin
class TestOneKeyAtOnce:
    def test_takes_effect_more_than_once_without_lock_and_keys(
        self, without_lock, without_unique_keys
    ):
        wallet = make_wallet(grants={"a": (10_000, None)})

        race(
            lambda n: ledger.spend(job(wallet, credits=1, key=str(n // 16)), at=NOW),
            rounds=20 * 16,
            threads=16,
        )

        assert LedgerEntry.objects.filter(wallet=wallet, kind="SPEND").count() > 20


class TestControls:
    def test_leave_the_functions_as_they_were(self):
        wallet = make_wallet(grants={"a": (300, None)})

        outcomes = race(
            lambda n: ledger.spend(job(wallet, credits=1, key=str(n)), at=NOW),
            rounds=400,
            threads=16,
        )

        assert tally(outcomes) == {"Spent": 300, "InsufficientCredits": 100}
