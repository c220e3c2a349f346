"""I9: what was posted once is never changed, and if it is, verify_ledger says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from credits import audits, history, ledger
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

# Changes that keep every sum right: only the memory of what was there notices them.
FORGERIES = {
    "another day": """UPDATE credits_ledgerentry SET occurred_at = '2026-01-01Z'
        WHERE seq = 2""",
    "another reason": "UPDATE credits_ledgerentry SET reason = 'x' WHERE seq = 1",
    "another feature": "UPDATE credits_usageline SET feature = 'image'",
    "another order of draws": """UPDATE credits_grantdraw SET position = 1 - position
        WHERE entry_id = (SELECT id FROM credits_ledgerentry WHERE seq = 3)""",
}
TABLES = (
    "credits_ledgerentry",
    "credits_grantdraw",
    "credits_usageline",
    "billing_adjustment",  # points at entries, so it is emptied with them
)


@pytest.fixture
def wallet():
    """Two grants, and a spend over both."""
    wallet = make_wallet(
        grants={"soon": (50, timedelta(days=5)), "later": (100, timedelta(days=9))}
    )
    ledger.spend(job(wallet, credits=70), at=NOW)
    return wallet


@pytest.fixture
def digest(wallet, tmp_path):
    """The file of a good run."""
    file = tmp_path / "digest.json"
    call_command("verify_ledger", digest=file)
    return file


def forge(statement: str) -> None:
    with connections["owner"].cursor() as owner:
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        owner.execute(statement)
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class TestHistory:
    def test_may_grow(self, wallet, digest):
        ledger.spend(job(wallet, credits=5), at=NOW)
        make_wallet(grants={"another": (10, None)})
        before = digest.read_text()

        call_command("verify_ledger", digest=digest)

        assert digest.read_text() != before

    @pytest.mark.parametrize("forgery", FORGERIES)
    def test_may_not_change(self, digest, forgery, wallet, capsys):
        ledger.spend(job(wallet, credits=5), at=NOW)
        before = digest.read_text()
        forge(FORGERIES[forgery])
        assert audits.verify() == []

        with pytest.raises(CommandError, match=r"1 findings\."):
            call_command("verify_ledger", digest=digest)

        assert capsys.readouterr().err == (
            "I9 history never changes: the entries of wallet"
            f" {wallet.pk} up to number 3 have changed\n"
        )
        assert digest.read_text() == before

    def test_may_not_lose_an_entry(self, wallet):
        recorded = history.digest()
        forge("TRUNCATE credits_ledgerentry CASCADE")

        assert len(history.verify(recorded)) == 1

    def test_of_a_wallet_without_entries_is_known_too(self):
        empty = make_wallet()

        recorded = history.digest()

        assert recorded[empty.pk].seq == 0
        assert history.verify(recorded) == []


class TestDigest:
    def test_stays_where_history_does(self, digest):
        before = digest.read_text()

        call_command("verify_ledger", digest=digest)

        assert digest.read_text() == before

    def test_is_not_written_over_bad_books(self, wallet, tmp_path):
        file = tmp_path / "digest.json"
        with connections["owner"].cursor() as owner:
            owner.execute("UPDATE credits_wallet SET debt = 5")

        with pytest.raises(CommandError):
            call_command("verify_ledger", digest=file)

        assert not file.exists()
