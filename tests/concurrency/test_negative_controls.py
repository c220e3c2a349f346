"""The races of this folder fail when what prevents them is taken away.

A race that cannot fail proves nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from config.database import load_functions_and_rights
from credits import audits, ledger
from credits.models import LedgerEntry
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

STEPS = Path(settings.BASE_DIR) / "credits" / "sql" / "_steps.sql"
LOCK = "WHERE id = p_wallet_id\n    FOR NO KEY UPDATE;"


@pytest.fixture
def owner(transactional_db):
    """The owner's connection, and the functions as they are again afterwards."""
    with connections["owner"].cursor() as cursor:
        yield cursor
    load_functions_and_rights(using="owner")


@pytest.fixture
def without_lock(owner):
    text = STEPS.read_text()
    assert text.count(LOCK) == 1
    owner.execute(text.replace(LOCK, "WHERE id = p_wallet_id;"))


@pytest.fixture
def without_unique_keys(owner):
    names = ["entry_one_per_key", "entry_one_per_number"]
    owner.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indexrelid = ANY (%s::regclass[])",
        [names],
    )
    definitions = [definition for (definition,) in owner.fetchall()]
    for name in names:
        owner.execute(f"DROP INDEX {name}")
    yield
    # The twins that the race made would not fit under the keys.
    owner.execute("ALTER TABLE credits_ledgerentry DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE credits_grantdraw DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE credits_usageline DISABLE TRIGGER USER")
    owner.execute("TRUNCATE credits_ledgerentry CASCADE")
    for table in ("credits_ledgerentry", "credits_grantdraw", "credits_usageline"):
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for definition in definitions:
        owner.execute(definition)


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
