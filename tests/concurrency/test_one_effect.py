"""One thing, asked for sixteen times at once: it happens once (R3, R109)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from credits import audits, ledger
from credits.models import CreditGrant, Freeze, GrantSource, LedgerEntry, Wallet
from tests.concurrency.racing import CALLERS, storm, tally
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

DAY = timedelta(days=1)
rounds_ = pytest.mark.parametrize(
    "rounds", [10, pytest.param(200, marks=pytest.mark.full)]
)


@dataclass(frozen=True)
class Scene:
    """A wallet with a grant, a charge of 10 credits and a hold for each round."""

    wallet: Wallet
    grants: list[int]
    charges: list[int]
    holds: list[int]

    def spend(self, n, **said):
        command = job(self.wallet, 10, said["idempotency_key"])
        return ledger.spend(command, at=said["at"])

    def grant(self, n, **said):
        return ledger.grant(
            wallet_id=self.wallet.pk,
            source=GrantSource.PROMO,
            source_key=said["idempotency_key"],
            credits=10,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=said["at"],
        )

    def extend(self, n, **said):
        return ledger.extend_hold(
            hold_id=self.holds[n], time_to_live=2 * DAY, actor="test", **said
        )

    def reverse(self, n, **said):
        return ledger.reverse(entry_id=self.charges[n], **self._why, **said)

    def revoke(self, n, **said):
        return ledger.revoke(grant_id=self.grants[n], credits=1, **self._why, **said)

    def freeze(self, n, **said):
        return ledger.freeze(
            grant_id=self.grants[n], freeze=Freeze.PAUSE, **self._why, **said
        )

    def move(self, n, **said):
        return ledger.move(
            grant_id=self.grants[n], expires_at=NOW + 30 * DAY, **self._why, **said
        )

    def record_debt(self, n, **said):
        return ledger.record_debt(
            wallet_id=self.wallet.pk, credits=1, **self._why, **said
        )

    @property
    def _why(self):
        return {"actor": "test", "reason": "because"}


def set_scene(rounds: int) -> Scene:
    plenty = {"spent first": (30 * rounds, DAY)}
    each = {f"{n}": (10, 9 * DAY) for n in range(rounds)}
    wallet = make_wallet(grants=plenty | each)
    grants = CreditGrant.objects.filter(wallet=wallet, granted=10).order_by("id")
    return Scene(
        wallet=wallet,
        grants=[grant.pk for grant in grants],
        charges=[ledger.spend(job(wallet, 10), at=NOW).entry_id for _ in range(rounds)],
        holds=[hold(wallet, n) for n in range(rounds)],
    )


def hold(wallet, n) -> int:
    held = ledger.hold(
        wallet_id=wallet.pk,
        credits=10,
        rate_version=1,
        idempotency_key=f"hold:{n}",
        actor="test",
        at=NOW,
    )
    return held.hold_id


def made_by(scene) -> int:
    return LedgerEntry.objects.filter(wallet=scene.wallet).count()


def give_back(scene, credits=None):
    """Each caller with a key of its own: a storm of refunds of one charge."""
    return lambda n, caller: ledger.reverse(
        entry_id=scene.charges[n],
        credits=credits,
        idempotency_key=f"back:{n}:{caller}",
        actor="test",
        reason="because",
        at=NOW,
    )


@rounds_
class TestOneKey:
    """One effect, and every other caller gets the same answer."""

    @pytest.mark.parametrize(
        ("verb", "entries"),
        [
            *((Scene.spend, 1), (Scene.grant, 1), (Scene.extend, 1)),
            *((Scene.reverse, 1), (Scene.revoke, 1), (Scene.freeze, 1)),
            *((Scene.move, 2), (Scene.record_debt, 1)),
        ],
    )
    def test_has_one_effect(self, verb, entries, rounds):
        scene = set_scene(rounds)
        before = made_by(scene)

        outcomes = storm(
            rounds, lambda n, _: verb(scene, n, idempotency_key=f"k:{n}", at=NOW)
        )

        assert len(tally(outcomes)) == 1
        assert sum(not outcome.is_replay for outcome in outcomes) == rounds
        assert made_by(scene) - before == rounds * entries
        assert audits.verify() == []


@rounds_
class TestOneCharge:
    def test_is_given_back_once(self, rounds):
        scene = set_scene(rounds)

        outcomes = storm(rounds, give_back(scene))

        assert tally(outcomes) == {"Corrected": rounds * CALLERS}
        assert sum(outcome.credits for outcome in outcomes) == rounds * 10
        assert LedgerEntry.objects.filter(kind="REVERSE").count() == rounds
        assert audits.verify() == []

    def test_is_given_back_in_part_until_nothing_is_left(self, rounds):
        """16 times 4 of 10 credits: two fit."""
        scene = set_scene(rounds)

        outcomes = storm(rounds, give_back(scene, credits=4))

        assert tally(outcomes) == {
            "Corrected": rounds * 2,
            "NotEnoughLeft": rounds * (CALLERS - 2),
        }
        assert audits.verify() == []


@pytest.mark.twin
class TestNegativeControl:
    def test_without_the_wallets_lock_it_is_given_back_again_and_again(
        self, without_lock
    ):
        scene = set_scene(8)

        outcomes = storm(8, give_back(scene))

        assert tally(outcomes) != {"Corrected": 8 * CALLERS}
