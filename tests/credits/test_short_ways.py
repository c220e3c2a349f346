"""Where a single command must not be written as it is decided, though it looks plain.

`spend_one.sql`, `hold_one.sql` and `capture_one.sql` each have a short way for what
nearly every job is. What is here differs from that by one fact each.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from credits import ledger
from credits.models import CreditGrant, Freeze, GrantDraw, LedgerEntry, Wallet
from tests.conftest import NOW
from tests.credits.test_holds import capture, extend, held_by_grant, hold, release
from tests.factories import job, make_wallet, remaining

pytestmark = pytest.mark.django_db

INSTANT, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def wallet():
    """30 credits that end tomorrow and 50 that end in a month."""
    return make_wallet(grants={"soon": (30, DAY), "later": (50, 30 * DAY)})


@pytest.fixture
def all_of_soon(wallet):
    """A job that holds all that ends tomorrow: the wallet waits for later things."""
    held = hold(wallet, 30)
    extend(held, time_to_live=2 * DAY)
    return held


def available(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).available


def spendable_until(instant, wallet) -> None:
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="",
        cycle_starts_at=None,
        cycle_ends_at=None,
        spends_until=instant,
    )


def freeze_soon(change=ledger.freeze) -> None:
    change(
        grant_id=CreditGrant.objects.get(source_key__endswith=":soon").pk,
        freeze=Freeze.DISPUTE,
        idempotency_key=change.__name__,
        actor="test",
        reason="because",
        at=NOW,
    )


def spend_five(wallet) -> dict[str, int]:
    """What is left of each grant, once a job found out whose turn it is."""
    ledger.spend(job(wallet, 5), at=NOW)
    return remaining(wallet)


class TestSpend:
    def test_takes_no_more_of_a_grant_than_jobs_leave_free(self, wallet):
        hold(wallet, 20)

        ledger.spend(job(wallet, 15), at=NOW)

        assert remaining(wallet) == {"soon": 20, "later": 45}

    def test_at_the_instant_of_an_expiry_ends_it_first(self, wallet):
        spent = ledger.spend(job(wallet, 10), at=NOW + DAY)

        assert (spent.available, remaining(wallet)) == (40, {"soon": 0, "later": 40})

    def test_said_again_leaves_no_gap_in_the_numbers(self, wallet):
        twice = job(wallet, 10)
        first = ledger.spend(twice, at=NOW)

        ledger.spend(twice, at=NOW)

        assert ledger.spend(job(wallet, 10), at=NOW).seq == first.seq + 1

    def test_at_the_instant_from_which_nothing_may_be_spent_is_refused(self, wallet):
        spendable_until(NOW, wallet)

        with pytest.raises(ledger.SpendingBlocked):
            ledger.spend(job(wallet, 10), at=NOW)


class TestHold:
    def test_takes_no_more_of_a_grant_than_jobs_leave_free(self, wallet):
        hold(wallet, 20)

        hold(wallet, 15, key="beside")

        assert held_by_grant(wallet) == {"soon": 30, "later": 5}

    def test_at_the_instant_of_an_expiry_ends_it_first(self, wallet):
        held = hold(wallet, 10, at=NOW + DAY)

        assert (held.available, held_by_grant(wallet)) == (40, {"later": 10})

    def test_said_again_leaves_no_gap_in_the_numbers(self, wallet):
        first = ledger.spend(job(wallet, 10), at=NOW)
        hold(wallet, 10)

        hold(wallet, 10)

        assert ledger.spend(job(wallet, 10), at=NOW).seq == first.seq + 2

    def test_at_the_instant_from_which_nothing_may_be_spent_is_refused(self, wallet):
        spendable_until(NOW, wallet)

        with pytest.raises(ledger.SpendingBlocked):
            hold(wallet, 10)

    def test_is_remembered_when_it_ends_before_everything_else(self, wallet):
        hold(wallet, 10, time_to_live=HOUR)

        ledger.expire_wallet(wallet_id=wallet.pk, at=NOW + HOUR)

        assert held_by_grant(wallet) == {}


class TestCapture:
    def test_at_the_instant_of_another_expiry_ends_it_first(self, wallet):
        held = hold(wallet, 30)
        ledger.grant(
            wallet_id=wallet.pk,
            source="PROMO",
            source_key="beside",
            credits=7,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=NOW + HOUR,
            actor="test",
            at=NOW,
        )

        captured = capture(held, 20, at=NOW + HOUR)

        assert captured.available == 60

    def test_of_frozen_credits_gives_the_rest_back_as_frozen(self, wallet):
        held = hold(wallet, 30)
        freeze_soon()

        captured = capture(held, 20)

        assert captured.available == available(wallet) == 50
        assert Wallet.objects.get(pk=wallet.pk).frozen == 10

    def test_at_the_instant_at_which_its_grant_ends_ends_the_rest(
        self, wallet, all_of_soon
    ):
        captured = capture(all_of_soon, 20, at=NOW + DAY)

        assert captured.available == available(wallet) == 50
        assert remaining(wallet) == {"soon": 0, "later": 50}

    def test_after_a_part_gives_back_only_what_is_left(self, wallet):
        held = hold(wallet, 20)
        hold(wallet, 10, key="beside")
        capture(held, 5, key="part", is_final=False)

        captured = capture(held, 5, key="rest")

        assert captured.available == 60
        assert held_by_grant(wallet) == {"soon": 10}

    def test_of_a_released_hold_takes_nothing_of_another(self, wallet):
        held = hold(wallet, 10)
        hold(wallet, 10, key="beside")
        release(held)

        with pytest.raises(ledger.HoldClosed):
            capture(held, 10)

        assert held_by_grant(wallet) == {"soon": 10}

    def test_under_the_key_of_another_command_is_a_conflict(self, wallet):
        held = hold(wallet, 10, key="first")

        with pytest.raises(ledger.IdempotencyConflict):
            capture(held, 10, key="first")

    def test_remembers_when_what_it_gives_back_ends(self, wallet, all_of_soon):
        capture(all_of_soon, 20)

        ledger.expire_wallet(wallet_id=wallet.pk, at=NOW + DAY - INSTANT)
        assert remaining(wallet) == {"soon": 10, "later": 50}
        ledger.expire_wallet(wallet_id=wallet.pk, at=NOW + DAY)
        assert remaining(wallet) == {"soon": 0, "later": 50}

    def test_of_several_grants_charges_each(self, wallet):
        held = hold(wallet, 40)

        capture(held, 35)

        assert remaining(wallet) == {"soon": 0, "later": 45}


class TestTurn:
    """A wallet notes whose turn it is (R2), and forgets it when that may change."""

    def test_is_noted_once_for_the_jobs_that_follow(self, wallet):
        soon = CreditGrant.objects.get(source_key__endswith=":soon")

        for _ in range(2):
            spend_five(wallet)
            assert Wallet.objects.get(pk=wallet.pk).next_grant_id == soon.pk

        assert remaining(wallet) == {"soon": 20, "later": 50}

    def test_passes_on_when_a_grant_is_used_up(self, wallet):
        later = CreditGrant.objects.get(source_key__endswith=":later")
        ledger.grant(
            wallet_id=wallet.pk,
            source="PROMO",
            source_key="last",
            credits=7,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=NOW,
        )
        spend_five(wallet)

        ledger.spend(job(wallet, 26), at=NOW)

        assert Wallet.objects.get(pk=wallet.pk).next_grant_id == later.pk
        assert spend_five(wallet)["later"] == 44

    def test_is_taken_by_what_is_usable_again(self, wallet):
        freeze_soon()
        assert spend_five(wallet) == {"soon": 30, "later": 45}
        freeze_soon(ledger.unfreeze)

        assert spend_five(wallet) == {"soon": 25, "later": 45}

    def test_is_taken_by_what_a_job_gives_back(self, wallet):
        held = hold(wallet, 30)
        spend_five(wallet)
        assert spend_five(wallet) == {"soon": 30, "later": 40}
        capture(held, 20)

        assert spend_five(wallet) == {"soon": 5, "later": 40}

    def test_is_taken_by_what_is_granted_to_many(self, wallet):
        assert spend_five(wallet) == {"soon": 25, "later": 50}
        ledger.grant_batch(
            [
                ledger.Grant(
                    wallet_id=one.pk,
                    source="PROMO",
                    source_key=f"{one.pk}:now",
                    credits=7,
                    cost_basis_cents=0,
                    effective_at=NOW,
                    expires_at=NOW + HOUR,
                    actor="test",
                )
                for one in (wallet, make_wallet())
            ],
            at=NOW,
        )

        assert spend_five(wallet) == {"now": 2, "soon": 25, "later": 50}

    def test_is_taken_by_what_ends_with_the_plan(self, wallet):
        ledger.grant(
            wallet_id=wallet.pk,
            source="PURCHASE",
            source_key=f"{wallet.pk}:bought",
            credits=20,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=NOW + HOUR,
            actor="test",
            at=NOW,
        )
        assert spend_five(wallet) == {"bought": 15, "soon": 30, "later": 50}
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=None,
            cycle_ends_at=None,
            plan_ends_at=NOW + INSTANT,
        )

        assert spend_five(wallet)["bought"] == 15


class TestBatch:
    """Of a batch, the grant whose turn it is serves wallets that it covers."""

    @pytest.fixture
    def wallets(self, wallet):
        """Two of which is known whose turn it is, and it has 25 credits left."""
        other = make_wallet(grants={"soon": (30, DAY), "later": (50, 30 * DAY)})
        for one in (wallet, other):
            spend_five(one)
        return wallet, other

    def test_leaves_what_jobs_hold(self, wallets):
        one, other = wallets
        hold(one, 10)
        costs = [(one, 5), (other, 7), (one, 0), (one, 8), (other, 1)]

        spent = ledger.spend_batch([job(*cost) for cost in costs], at=NOW)

        assert remaining(one) == {"soon": 12, "later": 50}
        assert remaining(other) == {"soon": 17, "later": 50}
        assert draws(one) == [[(-5, 20)], [], [(-8, 12)]]
        assert draws(other) == [[(-7, 18)], [(-1, 17)]]
        assert [item.available for item in spent] == [60, 68, 60, 52, 67]
        assert [item.seq for item in spent] == [5, 4, 6, 7, 5]

    def test_asks_other_grants_where_it_does_not_cover_all(self, wallets):
        one, other = wallets
        hold(other, 10)
        costs = [(one, 25), (other, 9), (other, 7), (other, 4)]

        ledger.spend_batch([job(*cost) for cost in costs], at=NOW)

        assert remaining(one) == {"soon": 0, "later": 50}
        assert remaining(other) == {"soon": 10, "later": 45}
        assert draws(one) == [[(-25, 0)]]
        assert draws(other) == [[(-9, 16)], [(-6, 10), (-1, 49)], [(-4, 45)]]
        assert spend_five(one) == {"soon": 0, "later": 45}


def draws(wallet) -> list[list[tuple[int, int]]]:
    """What jobs of a batch took of each grant, and what they left of it."""
    jobs = LedgerEntry.objects.filter(wallet=wallet, kind="SPEND").order_by("seq")[1:]
    return [
        list(
            GrantDraw.objects.filter(entry=entry)
            .order_by("position")
            .values_list("credits", "remaining_after")
        )
        for entry in jobs
    ]
