"""Member caps: what counts, in which window, and which cap wins (R87)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Role
from credits import audits, ledger
from credits.core.amounts import AmountOutOfBounds
from credits.models import MemberCap, MemberUsage, Wallet
from tests.conftest import NOW
from tests.factories import job, make_member, make_wallet

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def wallet():
    return make_wallet(grants={"a": (1_000, None)})


@pytest.fixture
def bob(wallet):
    return make_member(wallet.account, Role.MEMBER, "bob@example.com")


@pytest.fixture
def dora(wallet):
    return make_member(wallet.account, Role.MEMBER, "dora@example.com")


@pytest.fixture
def set_cap(wallet, bob):
    """Sets the cap on bob, or on each member; returns the one before."""

    def set_(credits, *, each=False, at=NOW):
        return ledger.set_cap(
            wallet_id=wallet.pk,
            member_id=None if each else bob.pk,
            credits=credits,
            set_by_id=bob.pk,
            at=at,
        )

    return set_


@pytest.fixture
def spend(wallet, bob):
    def spend_(credits, *, who=bob, at=NOW, key=""):
        return ledger.spend(job(wallet, credits, key, who), at=at)

    return spend_


@pytest.fixture
def hold(wallet, bob):
    def hold_(credits, *, key, at=NOW, who=bob):
        return ledger.hold(
            wallet_id=wallet.pk,
            credits=credits,
            rate_version=1,
            idempotency_key=key,
            actor="test",
            member_id=who.pk,
            member=who.email,
            at=at,
        )

    return hold_


def capture(held, credits, *, at=NOW, **options):
    return ledger.capture(
        hold_id=held.hold_id,
        lines=(ledger.UsedLine("look", credits, 1, credits),),
        idempotency_key=f"capture:{held.hold_id}",
        actor="test",
        at=at,
        **options,
    )


def release(held, *, at=NOW):
    return ledger.release(
        hold_id=held.hold_id,
        is_our_failure=False,
        idempotency_key=f"release:{held.hold_id}",
        actor="test",
        at=at,
    )


def reverse(spent, credits=None, *, at=NOW):
    return ledger.reverse(
        entry_id=spent.entry_id,
        credits=credits,
        idempotency_key=f"reverse:{spent.entry_id}",
        actor="test",
        reason="failed",
        at=at,
    )


def begin_cycle(wallet, starts_at, ends_at):
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="",
        cycle_starts_at=starts_at,
        cycle_ends_at=ends_at,
    )


def used(wallet, member, at=NOW) -> int:
    [usage] = ledger.usage_of_caps(wallet_id=wallet.pk, member_ids=[member.pk], at=at)
    return usage.used


class TestSetCap:
    def test_returns_the_cap_before(self, set_cap):
        assert [set_cap(100), set_cap(50), set_cap(None), set_cap(None)] == [
            *(None, 100, 50, None)
        ]

    def test_keeps_one_for_each_member_and_one_for_all(self, wallet, bob, set_cap):
        set_cap(100)
        set_cap(70, each=True)
        set_cap(80, each=True, at=NOW + DAY)

        caps = MemberCap.objects.order_by("pk")
        assert [(cap.member, cap.credits, cap.set_at) for cap in caps] == [
            (bob, 100, NOW),
            (None, 80, NOW + DAY),
        ]

    def test_tells_jobs_whether_to_look(self, wallet, set_cap):
        told = []

        for credits, each in ((5, False), (5, True), (None, False), (None, True)):
            set_cap(credits, each=each)
            told.append(Wallet.objects.get(pk=wallet.pk).has_caps)

        assert told == [True, True, True, False]

    @pytest.mark.parametrize("credits", [-1, 10**13, 1.5])
    def test_refuses_what_is_no_amount(self, set_cap, credits):
        with pytest.raises(AmountOutOfBounds):
            set_cap(credits)

    def test_refuses_a_wallet_that_is_not_there(self, bob):
        with pytest.raises(ledger.WalletNotFound):
            ledger.set_cap(
                wallet_id=10**9, member_id=None, credits=1, set_by_id=bob.pk, at=NOW
            )


class TestUsage:
    def test_counts_charges_and_what_is_on_hold(self, wallet, bob, spend, hold):
        spend(10)
        capture(hold(20, key="a"), 15)
        hold(30, key="b")
        release(hold(40, key="c"))
        capture(hold(50, key="d"), 5, is_final=False)

        assert used(wallet, bob) == 10 + 15 + 30 + 50

    def test_counts_each_member_alone(self, wallet, bob, dora, spend, hold):
        spend(10)
        spend(4, who=dora)
        spend(1, who=None)
        hold(3, key="a", who=dora)

        assert (used(wallet, bob), used(wallet, dora)) == (10, 7)

    def test_gives_room_back_for_what_is_given_back(self, wallet, bob, spend):
        spend(10)
        reverse(spend(20), 15)
        reverse(spend(30, who=None))

        assert used(wallet, bob) == 15

    def test_is_kept_up_to_date_while_there_are_caps(
        self, wallet, bob, set_cap, spend, hold
    ):
        spend(1)
        set_cap(1_000)
        spend(2)
        capture(hold(8, key="a"), 4)
        reverse(spend(16), 8)

        assert MemberUsage.objects.get(member_id=bob.pk).credits == 1 + 2 + 4 + 8
        assert used(wallet, bob) == 15
        assert findings() == []

    def test_counts_what_was_on_hold_before_there_were_caps(
        self, wallet, bob, set_cap, spend, hold
    ):
        held = hold(8, key="a")
        set_cap(1_000)
        spend(1)

        capture(held, 4)

        assert MemberUsage.objects.get(member_id=bob.pk).credits == 1 + 4
        assert findings() == []

    def test_is_added_up_anew_for_caps_that_come_again(
        self, wallet, bob, set_cap, spend
    ):
        set_cap(1_000)
        spend(1)
        set_cap(None)
        spend(2)
        set_cap(1_000)

        assert used(wallet, bob) == 3
        assert findings() == []


class TestWindow:
    def test_is_the_cycle(self, wallet, bob, spend):
        begin_cycle(wallet, NOW + DAY, NOW + 3 * DAY)
        spend(1, at=NOW + DAY - MICROSECOND)
        spend(2, at=NOW + DAY)
        assert used(wallet, bob, at=NOW + DAY) == 2

        spend(4, at=NOW + 3 * DAY - MICROSECOND)

        assert used(wallet, bob, at=NOW + 3 * DAY - MICROSECOND) == 6

    def test_ends_with_the_cycle_whether_or_not_the_next_is_known(
        self, wallet, bob, spend
    ):
        begin_cycle(wallet, NOW, NOW + 3 * DAY)
        spend(1, at=NOW)
        spend(2, at=NOW + 3 * DAY)

        [usage] = ledger.usage_of_caps(
            wallet_id=wallet.pk, member_ids=[bob.pk], at=NOW + 4 * DAY
        )

        assert (usage.used, usage.starts_at, usage.ends_at) == (
            *(2, NOW + 3 * DAY, None),
        )
        assert used(wallet, bob, at=NOW + 3 * DAY) == 2

    def test_begins_anew_with_the_next_cycle(self, wallet, set_cap, spend):
        set_cap(10)
        begin_cycle(wallet, NOW, NOW + DAY)
        spend(10)

        begin_cycle(wallet, NOW + DAY, NOW + 2 * DAY)

        assert spend(10, at=NOW + DAY).credits == 10

    def test_is_the_month_in_utc_without_a_cycle(self, wallet, bob, spend):
        march, april = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4))
        spend(1, at=NOW)
        spend(2, at=april - MICROSECOND)
        spend(4, at=april)

        [usage] = ledger.usage_of_caps(
            wallet_id=wallet.pk, member_ids=[bob.pk], at=april - MICROSECOND
        )

        assert (usage.starts_at, usage.ends_at) == (march, april)
        assert used(wallet, bob, at=april) == 4

    def test_counts_a_hold_from_before_until_it_is_charged(self, wallet, bob, hold):
        begin_cycle(wallet, NOW, NOW + DAY)
        held = hold(10, key="a", at=NOW + DAY - MICROSECOND)
        assert used(wallet, bob, at=NOW + DAY) == 10

        capture(held, 6, at=NOW + DAY)

        assert used(wallet, bob, at=NOW + DAY) == 6

    def test_gets_no_room_from_what_an_earlier_one_took(
        self, wallet, bob, set_cap, spend
    ):
        set_cap(100)
        begin_cycle(wallet, NOW, NOW + DAY)
        earlier = spend(50, at=NOW)
        spend(20, at=NOW + DAY)

        reverse(earlier, at=NOW + DAY)

        assert used(wallet, bob, at=NOW + DAY) == 20
        assert findings() == []


class TestCap:
    def test_lets_through_what_fits(self, set_cap, spend):
        set_cap(30)
        spend(10)

        assert spend(20).credits == 20

    def test_refuses_what_does_not_and_says_the_numbers(self, wallet, set_cap, spend):
        set_cap(30)
        spend(10)

        with pytest.raises(ledger.MemberCapReached) as refused:
            spend(21)

        assert vars(refused.value) == {"needed": 21, "cap": 30, "used": 10}
        assert Wallet.objects.get(pk=wallet.pk).balance == 990

    def test_holds_for_holds_and_with_them(self, set_cap, spend, hold):
        set_cap(30)
        held = hold(25, key="a")

        with pytest.raises(ledger.MemberCapReached):
            hold(6, key="b")
        with pytest.raises(ledger.MemberCapReached):
            spend(6)

        release(held)
        assert hold(30, key="b").available == 970

    def test_does_not_hold_for_others_nor_for_jobs_of_nobody(
        self, dora, set_cap, spend
    ):
        set_cap(0)

        assert spend(5, who=dora).credits == 5
        assert spend(5, who=None).credits == 5

    def test_lets_free_jobs_through(self, set_cap, spend, hold):
        spend(10)
        set_cap(5)

        assert spend(0).credits == 0
        assert hold(0, key="free").available == 990

    def test_that_is_raised_keeps_the_count(self, set_cap, spend):
        set_cap(10)
        spend(10)
        set_cap(15)

        with pytest.raises(ledger.MemberCapReached) as refused:
            spend(6)

        assert refused.value.used == 10
        assert spend(5).credits == 5

    @pytest.mark.parametrize(("own", "each"), [(30, 20), (20, 30)])
    def test_that_is_tightest_wins(self, set_cap, spend, own, each):
        set_cap(own)
        set_cap(each, each=True)
        spend(15)

        with pytest.raises(ledger.MemberCapReached) as refused:
            spend(6)

        assert refused.value.cap == 20

    def test_is_refused_for_before_the_credits_are(self, set_cap, spend):
        """More credits would not help: nothing must buy any (R45)."""
        set_cap(10)

        with pytest.raises(ledger.MemberCapReached):
            spend(5_000)

    def test_leaves_a_first_result_as_it_was(self, set_cap, spend):
        first = spend(10, key="k")
        set_cap(0)

        again = spend(10, key="k")

        assert (again.entry_id, again.is_replay) == (first.entry_id, True)

    def test_counts_within_a_batch(self, wallet, bob, dora, set_cap):
        set_cap(10, each=True)
        jobs = [(6, bob), (5, bob), (7, dora), (4, bob), (1, bob)]

        outcomes = ledger.spend_batch(
            [job(wallet, credits, member=who) for credits, who in jobs], at=NOW
        )

        assert [type(outcome).__name__ for outcome in outcomes] == [
            *("Spent", "MemberCapReached", "Spent", "Spent", "MemberCapReached"),
        ]
        assert outcomes[1].used == 6
        assert findings() == []


def findings():
    return [found for found in audits.verify() if found.check.startswith("I")]
