"""Many callers settle one hold: it is settled once, and never above its credits."""

from __future__ import annotations

import pytest

from credits import audits, ledger
from credits.models import Hold, LedgerEntry, Wallet
from tests.concurrency.racing import CALLERS, race, storm, tally
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

rounds_ = pytest.mark.parametrize(
    "rounds", [50, pytest.param(200, marks=pytest.mark.full)]
)


def make_holds(count: int, *, credits: int = 10) -> tuple[Wallet, list[int]]:
    """A wallet with as many credits as its holds reserve, over two grants."""
    wallet = make_wallet(grants={"a": (7, None), "b": (count * credits - 7, None)})
    return wallet, [hold(wallet, n, credits).hold_id for n in range(count)]


def hold(wallet, n, credits=10):
    return ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key=f"hold:{n}",
        actor="test",
        at=NOW,
    )


def capture(hold_id, key, *, credits=10, is_final=True):
    return ledger.capture(
        hold_id=hold_id,
        lines=(ledger.UsedLine("look", credits, 1, credits),),
        idempotency_key=f"capture:{hold_id}:{key}",
        is_final=is_final,
        actor="test",
        at=NOW,
    )


def release(hold_id, key):
    return ledger.release(
        hold_id=hold_id,
        is_our_failure=False,
        idempotency_key=f"release:{hold_id}:{key}",
        actor="test",
        at=NOW,
    )


def first_times(outcomes) -> int:
    return sum(not outcome.is_replay for outcome in outcomes)


@rounds_
class TestTheSameCommand:
    """With one key: one effect, and every other caller gets the same answer (R109)."""

    def test_holds_once(self, rounds):
        wallet = make_wallet(grants={"a": (rounds * 10, None)})

        outcomes = storm(rounds, lambda n, _: hold(wallet, n))

        assert tally(outcomes) == {"Held": rounds * CALLERS}
        assert first_times(outcomes) == rounds
        assert len({held.public_id for held in outcomes}) == rounds
        assert Wallet.objects.get(pk=wallet.pk).held == rounds * 10
        assert audits.verify() == []

    def test_captures_once(self, rounds):
        wallet, holds = make_holds(rounds)

        outcomes = storm(rounds, lambda n, _: capture(holds[n], "one", credits=8))

        assert tally(outcomes) == {"Captured": rounds * CALLERS}
        assert first_times(outcomes) == rounds
        assert {captured.credits for captured in outcomes} == {8}
        assert Wallet.objects.get(pk=wallet.pk).available == rounds * 2
        assert audits.verify() == []

    def test_releases_once(self, rounds):
        wallet, holds = make_holds(rounds)

        outcomes = storm(rounds, lambda n, _: release(holds[n], "one"))

        assert tally(outcomes) == {"Released": rounds * CALLERS}
        assert first_times(outcomes) == rounds
        assert Wallet.objects.get(pk=wallet.pk).available == rounds * 10
        assert audits.verify() == []


@rounds_
class TestOneHold:
    def test_never_charges_more_than_it_reserved(self, rounds):
        """16 captures of 3 each on a hold of 10: three fit (R73)."""
        wallet, holds = make_holds(rounds)

        outcomes = storm(
            rounds,
            lambda n, caller: capture(holds[n], caller, credits=3, is_final=False),
        )

        assert tally(outcomes) == {
            "Captured": rounds * 3,
            "ExceedsHold": rounds * (CALLERS - 3),
        }
        assert set(Hold.objects.values_list("captured", flat=True)) == {9}
        assert Wallet.objects.get(pk=wallet.pk).balance == rounds
        assert audits.verify() == []

    def test_is_captured_or_released_and_never_both(self, rounds):
        wallet, holds = make_holds(rounds)

        outcomes = storm(rounds, settle_either_way(holds))

        found = tally(outcomes)
        assert found["HoldClosed"] == rounds * (CALLERS - 1)
        assert found["Captured"] + found["Released"] == rounds
        assert Wallet.objects.get(pk=wallet.pk).balance == found["Released"] * 10
        assert audits.verify() == []


class TestLastCredits:
    def test_go_to_holds_and_spends_until_there_are_none(self):
        """Whoever comes first: what a hold has taken, no spend can take."""
        wallet = make_wallet(grants={"a": (300, None), "b": (200, None)})

        outcomes = race(
            lambda n: (
                hold(wallet, n)
                if n % 2
                else ledger.spend(job(wallet, 10, f"spend:{n}"), at=NOW)
            ),
            rounds=160,
            threads=CALLERS,
        )

        found = tally(outcomes)
        assert found["Held"] + found["Spent"] == 50
        assert found["InsufficientCredits"] == 110
        assert Wallet.objects.get(pk=wallet.pk).available == 0
        assert audits.verify() == []


@pytest.mark.twin
class TestNegativeControls:
    """Without the wallet's lock the same storms do harm: so they prove something."""

    ROUNDS = 8

    def test_a_hold_is_settled_both_ways(self, without_lock):
        # By chance no two callers of a storm read a hold as open at once.
        closed = (self._closed_in_a_storm() for _ in range(6))

        assert any(number < self.ROUNDS * (CALLERS - 1) for number in closed)

    def _closed_in_a_storm(self):
        _, holds = make_holds(self.ROUNDS)
        return tally(storm(self.ROUNDS, settle_either_way(holds)))["HoldClosed"]

    def test_a_repeated_capture_is_not_answered_like_the_first(self, without_lock):
        _, holds = make_holds(self.ROUNDS)

        outcomes = storm(self.ROUNDS, lambda n, _: capture(holds[n], "one"))

        assert tally(outcomes) != {"Captured": self.ROUNDS * CALLERS}

    def test_a_repeated_hold_reserves_again_without_keys_too(
        self, without_lock, without_unique_keys
    ):
        wallet = make_wallet(grants={"a": (10_000, None)})

        storm(self.ROUNDS, lambda n, _: hold(wallet, n))

        assert LedgerEntry.objects.filter(kind="HOLD").count() > self.ROUNDS


def settle_either_way(holds):
    """Half of the callers capture, the others release, each with a key of its own."""
    return lambda n, caller: (
        capture(holds[n], caller) if caller % 2 else release(holds[n], caller)
    )
