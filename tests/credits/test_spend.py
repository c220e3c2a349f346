"""Taking credits: order, all or nothing, and once for each key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credits import ledger
from credits.models import CreditGrant, GrantSource, LedgerEntry, Wallet
from tests.conftest import NOW
from tests.factories import job, make_wallet, remaining

pytestmark = pytest.mark.django_db


class TestSpend:
    def test_draws_the_soonest_expiring_grant_first(self):
        wallet = make_wallet(
            grants={
                "later": (60, timedelta(days=30)),
                "sooner": (50, timedelta(days=2)),
            }
        )

        spent = ledger.spend(job(wallet, credits=70), at=NOW)

        assert remaining(wallet) == {"sooner": 0, "later": 40}
        assert (spent.credits, spent.balance_after, spent.available) == (70, 40, 40)

    def test_takes_credits_without_an_expiry_last(self):
        wallet = make_wallet(grants={"never": (10, None), "dated": (10, timedelta(1))})

        ledger.spend(job(wallet, credits=10), at=NOW)

        assert remaining(wallet) == {"never": 10, "dated": 0}

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (GrantSource.PROMO, GrantSource.PLAN),
            (GrantSource.PLAN, GrantSource.PURCHASE),
            (GrantSource.ADJUSTMENT, GrantSource.UPGRADE),
        ],
    )
    def test_breaks_ties_by_source(self, first, second):
        wallet = make_wallet()
        for source in (second, first):
            ledger.grant(
                wallet_id=wallet.pk,
                source=source,
                source_key=f"{wallet.pk}:{source}",
                credits=10,
                cost_basis_cents=0,
                effective_at=NOW - timedelta(days=1),
                expires_at=NOW + timedelta(days=5),
                actor="test",
                at=NOW,
            )

        ledger.spend(job(wallet, credits=10), at=NOW)

        assert CreditGrant.objects.get(wallet=wallet, is_open=True).source == second

    def test_takes_the_older_of_two_alike_first(self):
        wallet = make_wallet(grants={"older": (10, None), "newer": (10, None)})

        ledger.spend(job(wallet, credits=10), at=NOW)

        assert remaining(wallet) == {"older": 0, "newer": 10}

    def test_refuses_more_than_there_is_and_changes_nothing(self):
        wallet = make_wallet(grants={"a": (5, None)}, way_forward="Buy credits.")

        with pytest.raises(ledger.InsufficientCredits) as refusal:
            ledger.spend(job(wallet, credits=6), at=NOW)

        assert (refusal.value.needed, refusal.value.available) == (6, 5)
        assert refusal.value.way_forward == "Buy credits."
        assert LedgerEntry.objects.filter(wallet=wallet).count() == 1

    def test_records_a_job_that_costs_nothing(self):
        wallet = make_wallet(grants={"a": (5, None)})

        spent = ledger.spend(job(wallet, credits=0), at=NOW)

        entry = LedgerEntry.objects.get(pk=spent.entry_id)
        assert (entry.credits, entry.lines.count(), entry.draws.count()) == (0, 1, 0)

    def test_never_draws_what_has_expired_however_late_the_sweeper_is(self):
        wallet = make_wallet(
            grants={"gone": (50, timedelta(days=1)), "kept": (20, None)}
        )
        later = NOW + timedelta(days=40)

        ledger.spend(job(wallet, credits=5), at=later)

        expiry = LedgerEntry.objects.get(wallet=wallet, kind="EXPIRE")
        assert (expiry.credits, expiry.occurred_at) == (-50, NOW + timedelta(days=1))
        assert remaining(wallet) == {"gone": 0, "kept": 15}

    def test_is_gone_at_the_very_instant_of_its_expiry(self):
        wallet = make_wallet(grants={"a": (1, timedelta(days=1))})
        at = NOW + timedelta(days=1)

        with pytest.raises(ledger.InsufficientCredits):
            ledger.spend(job(wallet, credits=1), at=at)

    def test_is_usable_one_microsecond_before(self):
        wallet = make_wallet(grants={"a": (1, timedelta(days=1))})
        at = NOW + timedelta(days=1) - timedelta(microseconds=1)

        spent = ledger.spend(job(wallet, credits=1), at=at)

        assert spent.balance_after == 0


class TestIdempotency:
    def test_returns_the_first_result_for_the_same_request(self):
        wallet = make_wallet(grants={"a": (50, None)})
        command = job(wallet, credits=10, key="k")
        first = ledger.spend(command, at=NOW)
        ledger.spend(job(wallet, credits=5), at=NOW)

        again = ledger.spend(command, at=NOW + timedelta(days=400))

        assert again.is_replay
        assert (again.entry_id, again.balance_after) == (first.entry_id, 40)
        assert Wallet.objects.get(pk=wallet.pk).balance == 35

    def test_refuses_another_request_under_the_same_key(self):
        wallet = make_wallet(grants={"a": (50, None)})
        ledger.spend(job(wallet, credits=10, key="k"), at=NOW)

        with pytest.raises(ledger.IdempotencyConflict):
            ledger.spend(job(wallet, credits=11, key="k"), at=NOW)

        assert Wallet.objects.get(pk=wallet.pk).balance == 40

    def test_a_refused_request_may_be_repeated_with_its_key(self):
        wallet = make_wallet()
        command = job(wallet, credits=10, key="k")
        with pytest.raises(ledger.InsufficientCredits):
            ledger.spend(command, at=NOW)
        ledger.grant(
            wallet_id=wallet.pk,
            source=GrantSource.PURCHASE,
            source_key="p:1",
            credits=10,
            cost_basis_cents=50,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=NOW,
        )

        spent = ledger.spend(command, at=NOW)

        assert (spent.is_replay, spent.balance_after) == (False, 0)


class TestBatch:
    def test_answers_item_by_item_and_one_refusal_harms_no_other(self):
        rich, poor = make_wallet(grants={"a": (10, None)}), make_wallet()
        commands = [
            job(poor, credits=1, key="1"),
            job(rich, credits=4, key="2"),
            job(rich, credits=40, key="3"),
            job(rich, credits=4, key="2"),
            job(rich, credits=5, key="2"),
            job(rich, credits=6, key="4"),
        ]

        outcomes = ledger.spend_batch(commands, at=NOW)

        assert [type(outcome).__name__ for outcome in outcomes] == [
            "InsufficientCredits",
            "Spent",
            "InsufficientCredits",
            "Spent",
            "IdempotencyConflict",
            "Spent",
        ]
        assert outcomes[3].is_replay
        assert outcomes[3].entry_id == outcomes[1].entry_id
        assert outcomes[5].balance_after == 0
        assert [outcomes[n].available for n in (1, 3, 5)] == [6, 6, 0]

    def test_keeps_the_keys_of_wallets_apart(self):
        one, other = (make_wallet(grants={"a": (9, None)}) for _ in range(2))
        commands = [
            job(one, credits=1, key="k"),
            job(other, credits=2, key="first"),
            job(other, credits=3, key="k"),
            job(other, credits=3, key="k"),
        ]

        outcomes = ledger.spend_batch(commands, at=NOW)

        assert [outcome.balance_after for outcome in outcomes] == [8, 7, 4, 4]
        assert outcomes[3].entry_id == outcomes[2].entry_id
        assert Wallet.objects.get(pk=other.pk).balance == 4

    def test_draws_the_grants_of_each_wallet_in_their_order(self):
        first, second = (
            make_wallet(grants={"soon": (5, timedelta(days=1)), "later": (10, None)})
            for _ in range(2)
        )
        costs = [(first, 1), (first, 2), (second, 8), (second, 4)]

        ledger.spend_batch([job(*cost) for cost in costs], at=NOW)

        assert remaining(first) == {"soon": 2, "later": 10}
        assert remaining(second) == {"soon": 0, "later": 3}

    def test_needs_no_grant_for_what_costs_nothing(self):
        empty, full = make_wallet(), make_wallet(grants={"a": (30, None)})

        spent = ledger.spend_batch([job(empty, 0), job(full, 5)], at=NOW)

        assert [one.balance_after for one in spent] == [0, 25]
        assert remaining(full) == {"a": 25}
        its_turn = Wallet.objects.get(pk=full.pk).next_grant_id
        assert its_turn == CreditGrant.objects.get(wallet=full).pk
