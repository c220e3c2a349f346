"""Holds: credits reserved for a job that runs, charged or given back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from credits import ledger
from credits.models import CreditGrant, Hold, LedgerEntry, SpendingBlock, Wallet
from tests.conftest import NOW
from tests.factories import job, make_wallet, remaining

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def wallet():
    """30 credits that end tomorrow and 50 that end in a month."""
    return make_wallet(grants={"soon": (30, DAY), "later": (50, 30 * DAY)})


def hold(wallet, credits, *, key="hold", at=NOW, **options):
    return ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key=key,
        actor="test",
        at=at,
        **options,
    )


def capture(held, credits, *, key="capture", at=NOW, **options):
    return ledger.capture(
        hold_id=held.hold_id,
        lines=(ledger.UsedLine("look", credits or 1, 1, credits),),
        idempotency_key=key,
        actor="test",
        at=at,
        **options,
    )


def release(held, *, is_our_failure=False, key="release", at=NOW):
    return ledger.release(
        hold_id=held.hold_id,
        is_our_failure=is_our_failure,
        idempotency_key=key,
        actor="test",
        at=at,
    )


def extend(held, *, key="extend", at=NOW, **options):
    return ledger.extend_hold(
        hold_id=held.hold_id, idempotency_key=key, actor="test", at=at, **options
    )


def held_by_grant(wallet):
    grants = CreditGrant.objects.filter(wallet=wallet, held__gt=0)
    return {grant.source_key.partition(":")[2]: grant.held for grant in grants}


class TestHold:
    def test_reserves_the_credits_that_would_be_used_first(self, wallet):
        held = hold(wallet, 40)

        assert held.available == 40
        assert held.expires_at == NOW + DAY
        assert held_by_grant(wallet) == {"soon": 30, "later": 10}
        assert Wallet.objects.get(pk=wallet.pk).balance == 80

    def test_remembers_what_it_is_for(self, wallet):
        held = hold(wallet, 5, reference="video-7", member_id=3, member="Alice")

        row = Hold.objects.get(public_id=held.public_id)
        assert (row.reference, row.member_id, row.member) == ("video-7", 3, "Alice")
        assert LedgerEntry.objects.get(hold=row).member == "Alice"

    def test_of_more_than_is_available_reserves_nothing(self, wallet):
        hold(wallet, 50)

        with pytest.raises(ledger.InsufficientCredits) as refused:
            hold(wallet, 31, key="another")

        assert (refused.value.needed, refused.value.available) == (31, 30)
        assert Wallet.objects.get(pk=wallet.pk).held == 50

    def test_keeps_what_it_reserves_from_other_jobs(self, wallet):
        hold(wallet, 80)

        with pytest.raises(ledger.InsufficientCredits):
            ledger.spend(job(wallet, credits=1), at=NOW)

    def test_is_refused_by_the_terms_of_the_wallet(self, wallet):
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=SpendingBlock.NO_PAID_PLAN,
            way_forward="Choose a paid plan.",
            cycle_starts_at=None,
            cycle_ends_at=None,
        )

        with pytest.raises(ledger.SpendingBlocked) as refused:
            hold(wallet, 1)

        assert refused.value.way_forward == "Choose a paid plan."

    def test_of_nothing_is_a_hold_all_the_same(self, wallet):
        """R8: a job of no cost leaves its row too."""
        held = hold(wallet, 0)

        assert capture(held, 0).state == "CAPTURED"

    def test_said_again_names_the_first_hold(self, wallet):
        first = hold(wallet, 10)

        again = hold(wallet, 10, at=NOW + HOUR)

        assert again.is_replay
        assert again.public_id == first.public_id
        assert Hold.objects.count() == 1

    def test_under_the_key_of_another_is_a_conflict(self, wallet):
        hold(wallet, 10)

        with pytest.raises(ledger.IdempotencyConflict):
            hold(wallet, 11)

    def test_lives_seven_days_at_most(self, wallet):
        held = hold(wallet, 10, time_to_live=30 * DAY)

        assert held.expires_at == NOW + ledger.LONGEST_LIFE

    def test_of_several_grants_lives_no_longer(self, wallet):
        held = hold(wallet, 40, time_to_live=30 * DAY)

        assert held.expires_at == NOW + ledger.LONGEST_LIFE

    def test_on_no_wallet_says_so(self):
        with pytest.raises(ledger.WalletNotFound):
            hold(Wallet(pk=404), 1)


class TestExtendHold:
    def test_counts_from_now(self, wallet):
        held = hold(wallet, 10)

        extended = extend(held, at=NOW + 6 * HOUR)

        assert extended.expires_at == NOW + 30 * HOUR

    def test_never_shortens(self, wallet):
        held = hold(wallet, 10)

        extended = extend(held, time_to_live=HOUR)

        assert extended.expires_at == NOW + DAY

    def test_reaches_seven_days_and_no_further(self, wallet):
        held = hold(wallet, 10)

        extended = extend(held, time_to_live=30 * DAY)

        assert extended.expires_at == NOW + ledger.LONGEST_LIFE

    def test_said_again_changes_nothing(self, wallet):
        held = hold(wallet, 10)
        extend(held)

        again = extend(held, at=NOW + HOUR)

        assert again.is_replay
        assert again.expires_at == NOW + DAY

    def test_by_another_time_under_its_key_is_a_conflict(self, wallet):
        held = hold(wallet, 10)
        extend(held, time_to_live=2 * DAY)

        with pytest.raises(ledger.IdempotencyConflict):
            extend(held, time_to_live=3 * DAY)

        assert Hold.objects.get().expires_at == NOW + 2 * DAY

    def test_of_a_lapsed_hold_is_refused(self, wallet):
        held = hold(wallet, 10)

        with pytest.raises(ledger.HoldClosed) as refused:
            extend(held, at=NOW + DAY)

        assert refused.value.state == "EXPIRED"


class TestCapture:
    def test_charges_what_the_job_used_and_gives_back_the_rest(self, wallet):
        held = hold(wallet, 40)

        captured = capture(held, 33)

        assert (captured.credits, captured.rest) == (33, 7)
        assert (captured.state, captured.available) == ("CAPTURED", 47)
        assert remaining(wallet) == {"soon": 0, "later": 47}
        assert held_by_grant(wallet) == {}

    def test_may_come_in_parts(self, wallet):
        held = hold(wallet, 40)

        first = capture(held, 15, key="one", is_final=False)
        second = capture(held, 25, key="two", is_final=False)

        assert (first.rest, first.state) == (25, "OPEN")
        assert (second.rest, second.state) == (0, "CAPTURED")

    def test_of_nothing_gives_all_back(self, wallet):
        held = hold(wallet, 40)

        capture(held, 0)

        assert Wallet.objects.get(pk=wallet.pk).available == 80

    def test_above_the_hold_is_refused_with_what_is_left(self, wallet):
        held = hold(wallet, 40)
        capture(held, 15, key="one", is_final=False)

        with pytest.raises(ledger.ExceedsHold) as refused:
            capture(held, 26, key="two")

        assert (refused.value.credits, refused.value.rest) == (26, 25)
        assert Hold.objects.get().captured == 15

    def test_above_the_hold_may_be_absorbed(self, wallet):
        held = hold(wallet, 40)

        captured = capture(held, 50, absorbs_excess=True)

        assert captured.credits == 40
        lines = LedgerEntry.objects.get(pk=captured.entry_id).lines.order_by("position")
        assert [(line.feature, line.credits) for line in lines] == [
            ("look", 50),
            ("absorbed", -10),
        ]

    def test_is_charged_to_credits_that_have_expired_meanwhile(self, wallet):
        """R69: and what it does not need of them ends with it."""
        held = hold(wallet, 40)
        extend(held, time_to_live=2 * DAY)

        capture(held, 25, at=NOW + DAY + HOUR)

        assert remaining(wallet) == {"soon": 0, "later": 50}
        assert LedgerEntry.objects.get(kind="EXPIRE").credits == -5

    def test_of_a_lapsed_hold_is_refused(self, wallet):
        """R72: and its credits are free again."""
        held = hold(wallet, 40, time_to_live=HOUR)

        with pytest.raises(ledger.HoldClosed) as refused:
            capture(held, 40, at=NOW + HOUR)

        assert refused.value.state == "EXPIRED"
        assert Wallet.objects.get(pk=wallet.pk).available == 80

    def test_said_again_answers_as_before(self, wallet):
        held = hold(wallet, 40)
        first = capture(held, 25)

        again = capture(held, 25)

        assert again.is_replay
        assert (again.entry_id, again.credits) == (first.entry_id, 25)

    def test_of_a_hold_that_is_not_there_says_so(self):
        ghost = ledger.Held(404, "hld_none", NOW, 0, is_replay=False)

        with pytest.raises(ledger.HoldNotFound):
            capture(ghost, 1)


class TestRelease:
    def test_gives_everything_back(self, wallet):
        held = hold(wallet, 40)

        released = release(held)

        assert (released.credits, released.available) == (40, 80)
        assert remaining(wallet) == {"soon": 30, "later": 50}
        assert Hold.objects.get().state == "RELEASED"

    def test_after_a_part_was_charged_gives_the_rest_back(self, wallet):
        held = hold(wallet, 40)
        capture(held, 15, is_final=False)

        released = release(held)

        assert (released.credits, released.available) == (25, 65)

    def test_ends_what_has_expired_when_the_customer_canceled(self, wallet):
        held = hold(wallet, 40, time_to_live=2 * DAY)

        release(held, at=NOW + DAY)

        assert remaining(wallet) == {"soon": 0, "later": 50}

    def test_lets_what_has_expired_live_on_when_we_failed(self, wallet):
        held = hold(wallet, 40, time_to_live=2 * DAY)

        release(held, is_our_failure=True, at=NOW + DAY)

        assert remaining(wallet) == {"soon": 30, "later": 50}
        grant = CreditGrant.objects.get(source_key__endswith=":soon")
        assert grant.expires_at == NOW + DAY + 72 * HOUR

    def test_as_a_grant_ends_revives_no_more_than_was_held(self, wallet):
        """At one instant grants end first; then the hold that nobody settled lapses."""
        hold(wallet, 20, time_to_live=DAY)

        ledger.expire_due(limit=1, at=NOW + DAY)

        assert remaining(wallet) == {"soon": 20, "later": 50}

    def test_gives_frozen_credits_back_as_frozen(self, wallet):
        held = hold(wallet, 30)
        grant = CreditGrant.objects.get(source_key__endswith=":soon")
        ledger.freeze(
            grant_id=grant.pk,
            freeze="DISPUTE",
            idempotency_key="freeze",
            actor="test",
            reason="because",
            at=NOW,
        )

        released = release(held)

        assert released.available == 50
        assert Wallet.objects.get(pk=wallet.pk).frozen == 30

    def test_said_again_answers_as_before(self, wallet):
        held = hold(wallet, 40)
        release(held)

        again = release(held)

        assert again.is_replay
        assert again.credits == 40

    def test_of_a_charged_hold_is_refused(self, wallet):
        held = hold(wallet, 40)
        capture(held, 40)

        with pytest.raises(ledger.HoldClosed) as refused:
            release(held)

        assert refused.value.state == "CAPTURED"


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
class TestDatabase:
    def test_itself_refuses_a_charge_above_the_hold(self, wallet):
        """Not even the owner, past the functions, can charge more (R71)."""
        held = hold(wallet, 40)

        with (
            pytest.raises(IntegrityError, match="hold_within_what_was_placed"),
            transaction.atomic(using="owner"),
            connections["owner"].cursor() as owner,
        ):
            owner.execute(
                "UPDATE credits_hold SET captured = 41 WHERE id = %s", [held.hold_id]
            )
