"""Debts: what is owed in credits, and what pays it back (R78, R79)."""

from __future__ import annotations

import pytest

from credits import ledger
from credits.models import CreditGrant, Freeze, GrantSource, LedgerEntry
from tests.conftest import NOW
from tests.credits.correcting import buy, correct, two_grants, wallet_now
from tests.factories import job

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    return two_grants()


class TestDebt:
    def test_is_a_figure_of_its_own(self, wallet):
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=40)

        found = wallet_now(wallet)
        assert (found.debt, found.balance, found.available) == (40, 80, 80)

    def test_is_paid_first_by_what_is_bought(self, wallet):
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=40)

        buy(wallet, 100)

        assert (wallet_now(wallet).debt, wallet_now(wallet).balance) == (0, 140)
        assert LedgerEntry.objects.get(kind="REPAY").credits == -40

    def test_takes_what_there_is_of_a_small_purchase(self, wallet):
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=40)

        buy(wallet, 25)

        assert (wallet_now(wallet).debt, wallet_now(wallet).balance) == (15, 80)

    def test_is_not_paid_by_the_plan(self, wallet):
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=40)

        buy(wallet, 100, source=GrantSource.PLAN)

        assert (wallet_now(wallet).debt, wallet_now(wallet).balance) == (40, 180)

    def test_is_paid_by_what_is_given_back_to_a_purchase(self, wallet):
        buy(wallet, 20)
        spent = ledger.spend(job(wallet, credits=100), at=NOW)
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=15)

        correct(ledger.reverse, key="back", entry_id=spent.entry_id)

        found = wallet_now(wallet)
        assert (found.debt, found.balance) == (0, 85)
        repaid = LedgerEntry.objects.get(kind="REPAY")
        assert (repaid.credits, repaid.debt) == (-15, -15)

    def test_is_paid_once_by_what_is_given_back_to_two_purchases(self, wallet):
        buy(wallet, 20)
        buy(wallet, 30, source=GrantSource.RELOAD)
        spent = ledger.spend(job(wallet, credits=130), at=NOW)
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=35)

        correct(ledger.reverse, key="back", entry_id=spent.entry_id)

        assert (wallet_now(wallet).debt, wallet_now(wallet).balance) == (0, 95)
        draws = LedgerEntry.objects.get(kind="REPAY").draws.order_by("position")
        assert [draw.credits for draw in draws] == [-30, -5]

    def test_is_not_paid_by_what_is_given_back_to_a_plan(self, wallet):
        spent = ledger.spend(job(wallet, credits=80), at=NOW)
        correct(ledger.record_debt, key="debt", wallet_id=wallet.pk, credits=15)

        correct(ledger.reverse, key="back", entry_id=spent.entry_id)

        assert (wallet_now(wallet).debt, wallet_now(wallet).balance) == (15, 80)

    def test_is_not_paid_by_frozen_credits(self, wallet):
        buy(wallet, 20)
        spent = ledger.spend(job(wallet, credits=100), at=NOW)
        bought = CreditGrant.objects.get(wallet=wallet, source=GrantSource.PURCHASE)
        correct(ledger.freeze, grant_id=bought.pk, freeze=Freeze.DISPUTE)
        correct(ledger.record_debt, key="debt", wallet_id=wallet.pk, credits=15)

        correct(ledger.reverse, key="back", entry_id=spent.entry_id)

        found = wallet_now(wallet)
        assert (found.debt, found.frozen, found.balance) == (15, 20, 100)

    def test_can_be_cleared_in_parts_and_no_further(self, wallet):
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=40)
        correct(ledger.clear_debt, key="part", wallet_id=wallet.pk, credits=15)

        with pytest.raises(ledger.NotEnoughLeft):
            correct(ledger.clear_debt, key="more", wallet_id=wallet.pk, credits=26)

        assert wallet_now(wallet).debt == 25

    def test_can_be_cleared_in_full(self, wallet):
        correct(ledger.record_debt, wallet_id=wallet.pk, credits=40)

        correct(ledger.clear_debt, key="all", wallet_id=wallet.pk, credits=40)

        assert wallet_now(wallet).debt == 0
