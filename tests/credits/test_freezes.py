"""Frozen credits: they stay in the balance, and nobody can use them (R66, R83)."""

from __future__ import annotations

import pytest

from credits import ledger
from credits.models import Freeze
from tests.conftest import NOW
from tests.credits.correcting import (
    DAY,
    HOUR,
    correct,
    end_plan,
    grant_of,
    hold,
    two_grants,
    wallet_now,
)
from tests.factories import job, remaining

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    return two_grants()


class TestFreeze:
    def freeze(self, wallet, freeze=Freeze.DISPUTE, **options):
        options.setdefault("key", freeze)
        return correct(
            ledger.freeze, grant_id=grant_of(wallet).pk, freeze=freeze, **options
        )

    def unfreeze(self, wallet, freeze=Freeze.DISPUTE, **options):
        options.setdefault("key", f"un{freeze}")
        return correct(
            ledger.unfreeze, grant_id=grant_of(wallet).pk, freeze=freeze, **options
        )

    def test_makes_credits_unusable(self, wallet):
        self.freeze(wallet)

        assert (wallet_now(wallet).frozen, wallet_now(wallet).available) == (30, 50)
        with pytest.raises(ledger.InsufficientCredits):
            ledger.spend(job(wallet, credits=51), at=NOW)

    def test_passes_over_them_when_credits_are_used(self, wallet):
        self.freeze(wallet)

        ledger.spend(job(wallet, credits=20), at=NOW)

        assert remaining(wallet) == {"soon": 30, "later": 30}

    def test_leaves_what_a_job_holds(self, wallet):
        hold(wallet, 12)

        self.freeze(wallet)

        assert wallet_now(wallet).frozen == 18

    def test_lasts_until_its_last_reason_ends(self, wallet):
        self.freeze(wallet, Freeze.DISPUTE)
        self.freeze(wallet, Freeze.NO_PLAN)

        self.unfreeze(wallet, Freeze.DISPUTE)
        assert wallet_now(wallet).frozen == 30

        self.unfreeze(wallet, Freeze.NO_PLAN)
        assert wallet_now(wallet).frozen == 0

    def test_of_a_dispute_stops_the_clock(self, wallet):
        """R83: the expiry moves by the time that the grant was frozen."""
        self.freeze(wallet, at=NOW + HOUR)

        self.unfreeze(wallet, at=NOW + 3 * DAY)

        assert grant_of(wallet).expires_at == NOW + 4 * DAY - HOUR
        assert wallet_now(wallet).available == 80

    def test_for_want_of_a_plan_does_not(self, wallet):
        """R58: what ends while it is frozen is gone."""
        self.freeze(wallet, Freeze.NO_PLAN)

        self.unfreeze(wallet, Freeze.NO_PLAN, at=NOW + DAY)

        assert (wallet_now(wallet).balance, wallet_now(wallet).frozen) == (50, 0)

    def test_lets_the_clock_run_once_only_a_plan_is_missing(self, wallet):
        self.freeze(wallet, Freeze.DISPUTE)
        self.freeze(wallet, Freeze.NO_PLAN)

        self.unfreeze(wallet, Freeze.DISPUTE, at=NOW + HOUR)

        grant = grant_of(wallet)
        assert (grant.expires_at, grant.clock_stopped_at) == (NOW + DAY + HOUR, None)

    def test_twice_for_one_reason_does_nothing(self, wallet):
        self.freeze(wallet)

        again = self.freeze(wallet, key="again")

        assert again.entry_id is None
        assert wallet_now(wallet).frozen == 30

    def test_that_never_was_cannot_end(self, wallet):
        ended = self.unfreeze(wallet)

        assert ended.entry_id is None


class TestFrozenWithAPlan:
    def test_ends_with_it_though_its_own_clock_stands_still(self, wallet):
        """R15, R83: its own date was before the plan's end, and then never came."""
        correct(ledger.freeze, grant_id=grant_of(wallet).pk, freeze=Freeze.DISPUTE)
        end_plan(wallet, at=NOW + 2 * DAY)

        correct(
            ledger.unfreeze,
            key="won",
            grant_id=grant_of(wallet).pk,
            freeze=Freeze.DISPUTE,
            at=NOW + 3 * DAY,
        )

        assert remaining(wallet) == {"soon": 0, "later": 0}
