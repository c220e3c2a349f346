"""The sweeper, which only posts what every reader and spender already knows (R17)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.clock import now
from credits import ledger, tasks
from credits.models import LedgerEntry, Wallet
from tests.conftest import NOW
from tests.factories import make_wallet, remaining

pytestmark = pytest.mark.django_db


class TestExpireDueGrants:
    def test_expires_every_wallet_that_is_due(self, monkeypatch):
        monkeypatch.setattr(tasks, "_CHUNK", 2)
        for _ in range(5):
            make_wallet(grants={"gone": (10, timedelta(seconds=1)), "kept": (5, None)})

        tasks.expire_due_grants()

        assert LedgerEntry.objects.filter(kind="EXPIRE").count() == 5
        assert set(Wallet.objects.values_list("balance", flat=True)) == {5}

    def test_leaves_what_is_not_due(self):
        wallet = make_wallet(grants={"a": (10, now() - NOW + timedelta(days=1))})

        tasks.expire_due_grants()

        assert remaining(wallet) == {"a": 10}

    def test_changes_nothing_the_second_time(self):
        make_wallet(grants={"gone": (10, timedelta(seconds=1))})

        tasks.expire_due_grants()
        tasks.expire_due_grants()

        assert LedgerEntry.objects.filter(kind="EXPIRE").count() == 1

    def test_ends_when_its_time_is_up(self, monkeypatch):
        monkeypatch.setattr(tasks, "_BUDGET", timedelta(0))
        make_wallet(grants={"gone": (10, timedelta(seconds=1))})

        tasks.expire_due_grants()

        assert not LedgerEntry.objects.filter(kind="EXPIRE").exists()

    def test_forgets_a_date_that_no_grant_has_any_more(self):
        wallet = make_wallet(grants={"spent": (1, timedelta(seconds=1))})
        ledger.spend(
            ledger.Spend(wallet.pk, (ledger.UsedLine("look", 1, 1, 1),), "k", "test"),
            at=NOW,
        )

        tasks.expire_due_grants()

        assert Wallet.objects.get(pk=wallet.pk).next_expiry_at is None
