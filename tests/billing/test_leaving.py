"""Leaving a legacy plan: at the end of its term or at once, and for good (R34)."""

from __future__ import annotations

import pytest

from accounts.models import Notice, Role
from billing.changes import arranging, changing, previewing
from billing.changes.changing import Request
from billing.changes.consequences import agreement
from billing.changes.previewing import ChangeRefused
from billing.models import (
    ChangeKind,
    ChangeState,
    Consent,
    ConsentKind,
    Interval,
    PlanChange,
)
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from credits import audits, statements
from credits.models import SpendingBlock
from tests.billing.changes import tell_prices
from tests.billing.legacies import (
    CODE,
    DAY,
    ENDS,
    bring_in,
    end_row,
    on_legacy,
    plan_row,
    premium_of,
)
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member


@pytest.fixture
def plans(wire) -> Plans:
    tell_prices()
    return Plans(wire)


@pytest.fixture
def account(offered):
    return on_legacy(make_account(billing_email="bills@example.com"))


@pytest.fixture
def alice(account):
    return make_member(account, Role.OWNER, "alice@example.com")


def shown(account, code, *, at_once=False, at=NOW) -> previewing.Preview:
    wanted = previewing.target(code, "MONTH", at_once=at_once, at=at)
    return previewing.preview(account.pk, wanted, at=at)


def leave(account, user, code="creator", *, at_once=False, at=NOW) -> PlanChange:
    previewed = shown(account, code, at_once=at_once, at=at)
    agreed = agreement(previewed, address=None)
    request = Request(user=user, form_key=f"{code}{at:%d}", agreed=agreed)
    same = arranging.shown_again(previewing.issue(previewed), account=account, at=at)
    return arranging.make(same, request, account=account, at=at)


def sweep(at) -> None:
    for change_id in arranging.due_changes(limit=9, at=at):
        arranging.look_after_change(change_id=change_id, at=at)


def plan_of(account, at=NOW) -> str:
    return subscribing.plan_of(account.pk, at=at).plan.code


class TestPreview:
    @pytest.mark.parametrize("code", ["free", "creator", "pro-1000", "business"])
    def test_lets_the_plan_end_with_its_term_and_charges_nothing(self, account, code):
        previewed = shown(account, code)

        assert (previewed.move, previewed.when, previewed.rule) == (
            "CANCEL",
            "CYCLE_END",
            "R34",
        )
        assert (previewed.takes_effect_at, previewed.due_cents) == (ENDS, 0)

    def test_at_once_is_a_checkout(self, account):
        previewed = shown(account, "creator", at_once=True)

        assert (previewed.move, previewed.when) == ("SUBSCRIBE", "NOW")
        assert (previewed.takes_effect_at, previewed.due_cents) == (NOW, 2_900)

    def test_of_now_and_later_are_two_offers(self, account):
        now, later = shown(account, "free"), shown(account, "creator", at_once=True)

        assert now.hash != later.hash

    def test_at_once_can_be_had_within_grace_but_not_after_it(self, account):
        """R38: what is not paid is canceled first."""
        within = shown(account, "creator", at_once=True, at=ENDS + DAY)

        with pytest.raises(ChangeRefused) as refusal:
            shown(account, "creator", at_once=True, at=ENDS + 8 * DAY)

        assert (within.move, refusal.value.rule) == ("SUBSCRIBE", "R38")

    def test_leads_nobody_to_legacy(self, account):
        with pytest.raises(ChangeRefused) as refusal:
            shown(account, CODE)

        assert refusal.value.rule == "R34"

    def test_of_another_interval_ends_it_all_the_same(self, account):
        wanted = previewing.target("creator", Interval.YEAR, at=NOW)

        previewed = previewing.preview(account.pk, wanted, at=NOW)

        assert (previewed.move, previewed.rule) == ("CANCEL", "R34")


class TestLeaveWithTheTerm:
    def test_schedules_the_end(self, account, alice):
        change = leave(account, alice)

        live = subscribing.live_subscription(account.pk)
        assert (change.kind, change.state) == (ChangeKind.CANCEL, ChangeState.SCHEDULED)
        assert (change.takes_effect_at, change.next_check_at) == (ENDS, ENDS)
        assert subscribing.standing(live, at=NOW) is Standing.ENDING

    def test_keeps_what_was_agreed_to(self, account, alice):
        change = leave(account, alice)

        consent = Consent.objects.get(target=change.public_id)
        assert (consent.kind, consent.user) == (ConsentKind.LEAVE_LEGACY, alice)
        assert consent.text == "I leave Unlimited for good: nobody can return to it."

    def test_ends_it_on_the_day(self, account, alice):
        change = leave(account, alice)

        sweep(ENDS)

        change.refresh_from_db()
        assert change.state == ChangeState.DONE
        assert plan_of(account, at=ENDS) == "free"
        assert premium_of(account).spending_block == SpendingBlock.NO_PAID_PLAN
        assert audits.verify() == []

    def test_ends_it_by_its_date_however_late_the_sweeper(self, account, alice):
        change = leave(account, alice)

        blocks = [premium_of(account).block_at(at) for at in (ENDS - DAY, ENDS)]
        sweep(ENDS + 3 * DAY)

        change.subscription.refresh_from_db()
        assert blocks == [None, SpendingBlock.NO_PAID_PLAN]
        assert change.subscription.ended_at == ENDS

    def test_keeps_premium_credits_and_their_dates(self, account, alice):
        wallet = premium_of(account)
        before = statements.balance_of(wallet.pk, at=NOW).grants

        leave(account, alice)
        sweep(ENDS)

        assert statements.balance_of(wallet.pk, at=ENDS).grants == before

    def test_tells_who_is_billed(self, account, alice):
        leave(account, alice)
        sweep(ENDS)

        told = Notice.objects.filter(recipient="bills@example.com").order_by("pk")
        [scheduled, ended] = told
        assert (scheduled.kind, ended.kind) == ("legacy_end_scheduled", "legacy_ended")
        assert "Creator begins when you pay for it" in scheduled.text
        assert "You chose to go on with Creator" in ended.text

    def test_is_one_change_however_often_the_form_is_sent(self, account, alice):
        leave(account, alice)
        request = Request(user=alice, form_key=f"creator{NOW:%d}")

        again = changing.by_form(account.pk, request.form_key)
        arranging.carry_on(again, at=NOW)

        assert PlanChange.objects.count() == 1

    def test_goes_on_after_a_crash(self, account, alice):
        previewed = shown(account, "free")
        request = Request(user=alice, form_key="x")
        change = changing.ask(previewed, request, account=account, at=NOW)

        sweep(NOW + DAY)

        change.refresh_from_db()
        assert (change.state, change.takes_effect_at) == (ChangeState.SCHEDULED, ENDS)

    def test_of_a_plan_that_is_lost_meanwhile_is_done(self, account, alice):
        change = leave(account, alice)
        bring_in(end_row(account))

        sweep(NOW)

        change.refresh_from_db()
        assert change.state == ChangeState.DONE

    def test_within_grace_ends_it_at_once(self, account, alice):
        change = leave(account, alice, at=ENDS + DAY)

        assert (change.state, change.takes_effect_at) == (
            ChangeState.DONE,
            ENDS + DAY,
        )

    def test_after_grace_ends_it_at_once(self, account, alice):
        late = ENDS + 8 * DAY

        change = leave(account, alice, "free", at=late)

        assert (change.state, change.timing) == (ChangeState.DONE, "NOW")
        assert plan_of(account, at=late) == "free"


class TestTakeBack:
    def test_lets_the_plan_go_on(self, account, alice):
        change = leave(account, alice)

        arranging.take_back(change, at=NOW + DAY)
        sweep(ENDS)

        change.refresh_from_db()
        assert change.state == ChangeState.UNDONE
        assert plan_of(account, at=ENDS) == CODE
        assert premium_of(account).block_at(ENDS) is None

    def test_comes_too_late_after_the_end(self, account, alice):
        change = leave(account, alice)
        sweep(ENDS)

        arranging.take_back(change, at=ENDS)

        assert plan_of(account, at=ENDS) == "free"


class TestLeaveAtOnce:
    def test_keeps_the_plan_until_the_other_is_paid(self, plans, account, alice):
        change = leave(account, alice, at_once=True)

        assert change.checkout_url
        assert plan_of(account) == CODE

    def test_by_paying_begins_the_other_plan(self, plans, account, alice):
        change = leave(account, alice, at_once=True)

        plans.wire.pay(change.stripe_session_id)
        plans.hear()

        change.refresh_from_db()
        assert (change.state, plan_of(account)) == (ChangeState.DONE, "creator")
        assert account.subscriptions.count() == 2
        assert account.wallets.get(unit="CREDITS").available == 600
        assert audits.verify() == []

    def test_leaves_premium_credits_usable(self, plans, account, alice):
        change = leave(account, alice, at_once=True)

        plans.wire.pay(change.stripe_session_id)
        plans.hear()

        premium = premium_of(account)
        assert (premium.available, premium.block_at(NOW)) == (300, None)
        assert premium.way_forward == (
            "Packs of premium credits are not sold any more. Use credits instead."
        )

    def test_keeps_both_agreements_in_one(self, plans, account, alice):
        change = leave(account, alice, at_once=True)

        consent = Consent.objects.get(target=change.public_id)
        assert consent.kind == ConsentKind.LEAVE_LEGACY
        assert consent.text.startswith("I leave Unlimited for good")
        assert "Creator renews every month for $29.00" in consent.text

    def test_is_forgotten_with_the_checkout_page(self, plans, account, alice):
        change = leave(account, alice, at_once=True)

        arranging.give_up(change, at=NOW)

        change.refresh_from_db()
        assert (change.state, plan_of(account)) == (ChangeState.REFUSED, CODE)

    def test_does_not_happen_by_a_subscription_that_nobody_agreed_to(
        self, plans, account
    ):
        plans.pay_for(account, "creator")

        plans.hear()

        assert plan_of(account) == CODE

    def test_nobody_comes_back(self, plans, account, alice):
        change = leave(account, alice, at_once=True)
        plans.wire.pay(change.stripe_session_id)
        plans.hear()

        imported = bring_in(plan_row(account))

        assert imported.errors == ("Line 2: The account is on Creator.",)
