"""Corrections: each leaves an entry of its own, and edits none (R3)."""

from __future__ import annotations

import pytest

from credits import ledger
from credits.models import CreditGrant, Freeze, GrantSource, LedgerEntry
from tests.conftest import NOW
from tests.credits.correcting import (
    DAY,
    HOUR,
    MINUTE,
    buy,
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


class TestReverse:
    def test_gives_all_back_to_where_it_was_taken(self, wallet):
        spent = ledger.spend(job(wallet, credits=40), at=NOW)

        given = correct(ledger.reverse, entry_id=spent.entry_id)

        assert given.credits == 40
        assert remaining(wallet) == {"soon": 30, "later": 50}

    def test_gives_a_part_back_last_taken_first(self, wallet):
        spent = ledger.spend(job(wallet, credits=40), at=NOW)

        correct(ledger.reverse, entry_id=spent.entry_id, credits=15)

        assert remaining(wallet) == {"soon": 5, "later": 50}

    def test_gives_no_more_back_than_was_taken(self, wallet):
        spent = ledger.spend(job(wallet, credits=40), at=NOW)
        correct(ledger.reverse, entry_id=spent.entry_id, credits=15)

        with pytest.raises(ledger.NotEnoughLeft):
            correct(ledger.reverse, key="more", entry_id=spent.entry_id, credits=26)

    def test_of_what_was_given_back_already_does_nothing(self, wallet):
        spent = ledger.spend(job(wallet, credits=40), at=NOW)
        correct(ledger.reverse, entry_id=spent.entry_id)

        again = correct(ledger.reverse, key="again", entry_id=spent.entry_id)

        assert (again.entry_id, again.credits) == (None, 0)

    def test_lets_expired_credits_live_three_days_more(self, wallet):
        spent = ledger.spend(job(wallet, credits=40), at=NOW)

        correct(ledger.reverse, entry_id=spent.entry_id, at=NOW + DAY)

        assert remaining(wallet) == {"soon": 30, "later": 50}
        assert grant_of(wallet).expires_at == NOW + DAY + ledger.FRESH_TIME

    def test_gives_back_what_a_capture_charged(self, wallet):
        captured = ledger.capture(
            hold_id=hold(wallet, 40).hold_id,
            lines=(ledger.UsedLine("look", 35, 1, 35),),
            idempotency_key="capture",
            actor="test",
            at=NOW,
        )

        correct(ledger.reverse, entry_id=captured.entry_id)

        assert remaining(wallet) == {"soon": 30, "later": 50}

    def test_of_an_entry_that_used_nothing_is_refused(self, wallet):
        added = LedgerEntry.objects.filter(kind="GRANT").earliest("seq")

        with pytest.raises(ledger.NotPossible):
            correct(ledger.reverse, entry_id=added.pk)

    def test_names_the_entry_that_it_corrects(self, wallet):
        spent = ledger.spend(job(wallet, credits=40), at=NOW)

        given = correct(ledger.reverse, entry_id=spent.entry_id)

        entry = LedgerEntry.objects.get(pk=given.entry_id)
        assert (entry.reverses_id, entry.reason) == (spent.entry_id, "because")
        assert LedgerEntry.objects.get(pk=spent.entry_id).credits == -40


class TestRevoke:
    def test_takes_what_is_left_and_closes_the_grant(self, wallet):
        ledger.spend(job(wallet, credits=10), at=NOW)

        revoked = correct(ledger.revoke, grant_id=grant_of(wallet).pk)

        assert revoked.credits == 20
        assert remaining(wallet) == {"soon": 0, "later": 50}
        assert grant_of(wallet).voided_at == NOW

    def test_takes_so_many(self, wallet):
        correct(ledger.revoke, grant_id=grant_of(wallet).pk, credits=5)

        assert remaining(wallet) == {"soon": 25, "later": 50}
        assert grant_of(wallet).voided_at is None

    def test_leaves_what_a_job_holds(self, wallet):
        hold(wallet, 12)

        revoked = correct(ledger.revoke, grant_id=grant_of(wallet).pk)

        assert revoked.credits == 18
        assert remaining(wallet) == {"soon": 12, "later": 50}

    def test_of_more_than_is_free_takes_nothing(self, wallet):
        hold(wallet, 12)

        with pytest.raises(ledger.NotEnoughLeft):
            correct(ledger.revoke, grant_id=grant_of(wallet).pk, credits=19)

        assert remaining(wallet) == {"soon": 30, "later": 50}

    def test_of_no_grant_says_so(self):
        with pytest.raises(ledger.GrantNotFound):
            correct(ledger.revoke, grant_id=404)


class TestRemove:
    """R92: only what is available, in the order of debits or of one grant."""

    def remove(self, wallet, credits, **options):
        return correct(ledger.remove, wallet_id=wallet.pk, credits=credits, **options)

    def test_takes_what_would_be_used_first(self, wallet):
        self.remove(wallet, 40)

        assert remaining(wallet) == {"soon": 0, "later": 40}

    def test_of_one_grant_takes_of_no_other(self, wallet):
        self.remove(wallet, 40, grant_id=grant_of(wallet, "later").pk)

        assert remaining(wallet) == {"soon": 30, "later": 10}

    def test_of_more_than_jobs_leave_takes_nothing(self, wallet):
        hold(wallet, 12)

        with pytest.raises(ledger.NotEnoughLeft):
            self.remove(wallet, 69)

        assert remaining(wallet) == {"soon": 30, "later": 50}


class TestReinstate:
    """R80: the refund came to nothing, so what it took comes back."""

    def test_gives_back_what_was_revoked(self, wallet):
        taken = correct(ledger.revoke, grant_id=grant_of(wallet).pk, credits=20)

        correct(ledger.reinstate, key="back", entry_id=taken.entry_id)

        assert remaining(wallet) == {"soon": 30, "later": 50}

    def test_gives_back_once(self, wallet):
        taken = correct(ledger.revoke, grant_id=grant_of(wallet).pk, credits=10)
        correct(ledger.reinstate, key="back", entry_id=taken.entry_id)

        with pytest.raises(ledger.NotPossible, match="removed nothing"):
            correct(ledger.reinstate, key="again", entry_id=taken.entry_id)

    def test_ends_what_comes_back_as_its_grant_ends(self, wallet):
        taken = correct(ledger.revoke, grant_id=grant_of(wallet).pk, credits=20)

        correct(ledger.reinstate, key="back", entry_id=taken.entry_id, at=NOW + DAY)

        assert remaining(wallet) == {"soon": 0, "later": 50}

    def test_ends_what_comes_back_after_the_plan(self, wallet):
        """Though the grant had nothing left whose date the plan's end could bring."""
        taken = correct(ledger.revoke, grant_id=grant_of(wallet).pk)
        end_plan(wallet, at=NOW + MINUTE)

        correct(
            ledger.reinstate, key="back", entry_id=taken.entry_id, at=NOW + 2 * MINUTE
        )

        assert remaining(wallet) == {"soon": 0, "later": 0}

    def test_lets_live_what_a_failed_job_kept_of_a_plan_that_is_over(self, wallet):
        held = hold(wallet, 20)
        end_plan(wallet, at=NOW + MINUTE)
        at = NOW + 2 * MINUTE
        ledger.release(
            hold_id=held.hold_id,
            is_our_failure=True,
            idempotency_key="release",
            actor="test",
            at=at,
        )  # R70: 20 credits live three days more
        taken = correct(ledger.revoke, grant_id=grant_of(wallet).pk, credits=5, at=at)

        correct(ledger.reinstate, key="back", entry_id=taken.entry_id, at=at)

        assert remaining(wallet) == {"soon": 20, "later": 0}


class TestMove:
    def move(self, wallet, expires_at, **options):
        return correct(
            ledger.move, grant_id=grant_of(wallet).pk, expires_at=expires_at, **options
        )

    def test_makes_what_is_left_a_grant_that_ends_later(self, wallet):
        ledger.spend(job(wallet, credits=10), at=NOW)

        moved = self.move(wallet, NOW + 90 * DAY)

        grant = CreditGrant.objects.get(pk=moved.grant_id)
        assert (grant.remaining, grant.expires_at) == (20, NOW + 90 * DAY)
        assert grant.source == GrantSource.PLAN
        assert wallet_now(wallet).balance == 70

    def test_leaves_what_a_job_holds(self, wallet):
        hold(wallet, 12)

        moved = self.move(wallet, NOW + 90 * DAY)

        assert moved.credits == 18
        assert grant_of(wallet).remaining == 12

    def test_takes_its_share_of_the_cost_along(self, wallet):
        """R100: one of three credits is used, and with it a third of a dollar."""
        bought = buy(wallet, 3, cents=100, expires_at=NOW + HOUR)
        ledger.spend(job(wallet, credits=1), at=NOW)

        moved = correct(ledger.move, grant_id=bought.grant_id, expires_at=NOW + DAY)

        assert CreditGrant.objects.get(pk=moved.grant_id).cost_basis_cents == 67

    def test_to_no_later_day_is_refused(self, wallet):
        with pytest.raises(ledger.NotPossible, match="does not expire before"):
            self.move(wallet, NOW + DAY)

    def test_of_frozen_credits_is_refused(self, wallet):
        correct(
            ledger.freeze,
            key="freeze",
            grant_id=grant_of(wallet).pk,
            freeze=Freeze.PAUSE,
        )

        with pytest.raises(ledger.NotPossible, match="frozen"):
            self.move(wallet, NOW + 90 * DAY)

    def test_said_again_names_the_same_grant(self, wallet):
        first = self.move(wallet, NOW + 90 * DAY)

        again = self.move(wallet, NOW + 90 * DAY)

        assert again.is_replay
        assert (again.grant_id, again.credits) == (first.grant_id, 30)


class TestEveryCorrection:
    """R109: said again under its key it changes nothing; as another it is refused."""

    CASES = {
        "revoke": lambda wallet, n: {"grant_id": grant_of(wallet).pk, "credits": n},
        "freeze": lambda wallet, n: {
            "grant_id": grant_of(wallet).pk,
            "freeze": Freeze.DISPUTE if n == 1 else Freeze.PAUSE,
        },
        "move": lambda wallet, n: {
            "grant_id": grant_of(wallet).pk,
            "expires_at": NOW + (40 + n) * DAY,
        },
        "record_debt": lambda wallet, n: {"wallet_id": wallet.pk, "credits": n},
    }

    @pytest.mark.parametrize("name", CASES)
    def test_takes_effect_once(self, wallet, name):
        verb, options = getattr(ledger, name), self.CASES[name](wallet, 1)
        first = correct(verb, **options)
        entries = LedgerEntry.objects.count()

        again = correct(verb, **options)

        assert again.is_replay
        assert (again.entry_id, again.credits) == (first.entry_id, first.credits)
        assert LedgerEntry.objects.count() == entries

    @pytest.mark.parametrize("name", CASES)
    def test_is_refused_as_another_under_its_key(self, wallet, name):
        verb = getattr(ledger, name)
        correct(verb, **self.CASES[name](wallet, 1))

        with pytest.raises(ledger.IdempotencyConflict):
            correct(verb, **self.CASES[name](wallet, 2))
