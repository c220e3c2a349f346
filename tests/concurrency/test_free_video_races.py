"""Many claims on the last free video of a month: one gets it (R106)."""

from __future__ import annotations

from threading import Barrier

import pytest

from credits import ledger
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

CALLERS = 8
CLAIMS = CALLERS * 5
QUOTA = 3


def free_wallet() -> int:
    wallet_id = ledger.open_wallet(account_id=make_account().pk, at=NOW)
    ledger.set_terms(
        wallet_id=wallet_id,
        spending_block=None,
        way_forward="",
        cycle_starts_at=None,
        cycle_ends_at=None,
        free_videos=QUOTA,
        free_video_ms=60_000,
    )
    return wallet_id


def claim(wallet_id: int, key: str) -> ledger.Claimed:
    return ledger.claim_free_video(
        wallet_id=wallet_id,
        milliseconds=1_000,
        idempotency_key=key,
        actor="test",
        at=NOW,
    )


def storm(wallet_id: int) -> list[object]:
    return race(
        lambda n: claim(wallet_id, f"claim:{n}"), rounds=CLAIMS, threads=CALLERS
    )


def used(wallet_id: int) -> int:
    return ledger.free_videos(wallet_id=wallet_id, at=NOW).used


class TestClaims:
    def test_at_once_get_exactly_what_there_is(self):
        wallet_id = free_wallet()

        outcomes = storm(wallet_id)

        assert tally(outcomes) == {"Claimed": QUOTA, "FreeVideosUsedUp": CLAIMS - QUOTA}
        assert used(wallet_id) == QUOTA

    def test_on_the_last_one_are_answered_one_yes_and_one_no(self):
        wallet_id = free_wallet()
        claim(wallet_id, "a")
        claim(wallet_id, "b")

        outcomes = race(lambda n: claim(wallet_id, f"c{n}"), rounds=2, threads=2)

        assert tally(outcomes) == {"Claimed": 1, "FreeVideosUsedUp": 1}

    def test_of_one_key_are_one_claim(self):
        wallet_id = free_wallet()

        outcomes = race(
            lambda _: claim(wallet_id, "same"), rounds=CALLERS, threads=CALLERS
        )

        assert tally(outcomes) == {"Claimed": CALLERS}
        assert [outcome.is_replay for outcome in outcomes].count(False) == 1
        assert used(wallet_id) == 1


@pytest.mark.twin
class TestNegativeControl:
    def test_without_the_wallets_lock_there_are_too_many(self, without_lock):
        """A claim is over soon: all callers come at one instant, to many wallets."""
        wallet_ids = [free_wallet() for _ in range(60)]
        gate = Barrier(CALLERS)

        def claim_together(n: int) -> ledger.Claimed:
            gate.wait(timeout=30)
            return claim(wallet_ids[n // CALLERS], f"claim:{n}")

        race(claim_together, rounds=60 * CALLERS, threads=CALLERS)

        assert max(map(used, wallet_ids)) > QUOTA
