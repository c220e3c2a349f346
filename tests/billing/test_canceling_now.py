"""Staff end a plan at once, with or without the price of what is unspent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Role
from billing.changes import arranging, canceling_now
from billing.changes.canceling_now import Wish
from billing.models import ChangeState, Interval, Invoice, RefundState
from credits import audits
from tests.billing.changes import change, tell_prices
from tests.billing.plans import DAY, Plans
from tests.billing.refunds import use, wallet_of
from tests.factories import make_account, make_member, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


def cancel(account, plans, *, with_refund: bool) -> bool:
    return canceling_now.cancel(
        canceling_now.preview(account.pk, at=plans.at),
        Wish(with_refund, make_user(), "The customer died", "one"),
        at=plans.at,
    )


class TestCancel:
    def test_forfeits_what_the_plan_gave(self, plans):
        account = make_account()
        subscription = plans.subscribe(account, "creator")

        cancel(account, plans, with_refund=False)

        subscription.refresh_from_db()
        assert subscription.ended_at == plans.at
        assert wallet_of(account).available == 0
        assert not account.refunds.exists()
        assert AuditEvent.objects.filter(action="subscription.cancel_asked").exists()
        assert audits.verify() == []

    def test_gives_the_unspent_share_back(self, plans):
        account = make_account()
        plans.subscribe(account, "creator")
        use(account, 200, at=plans.at)  # of 600, for $29

        cancel(account, plans, with_refund=True)

        [made] = account.refunds.all()
        assert (made.amount_cents, made.credits_removed) == (1_933, 400)
        assert wallet_of(account).debt == 0
        assert account.subscriptions.get().ended_at
        assert audits.verify() == []

    def test_of_a_year_gives_back_the_months_to_come(self, plans):
        account = make_account()
        plans.subscribe(account, "creator", Interval.YEAR)
        plans.travel(plans.at + 40 * DAY)  # in its second month
        use(account, 600, at=plans.at)

        cancel(account, plans, with_refund=True)

        [made] = account.refunds.all()
        # 11 of the 12 months: one is used, one is here, ten are to come.
        assert (made.credits_removed, made.credits_to_come) == (600, 6_000)
        assert made.amount_cents == 28_800 * 11 // 12
        assert audits.verify() == []


class TestCancelOneStepAtATime:
    """What stands between staff's word and a plan's end."""

    @pytest.fixture(autouse=True)
    def _prices(self, plans):
        tell_prices()

    def test_ends_once_stripe_answers_again(self, plans):
        account = make_account()
        plans.subscribe(account, "creator")
        plans.wire.fail_next("reset", on="DELETE", times=3)

        has_ended = cancel(account, plans, with_refund=True)

        assert not has_ended
        assert account.subscriptions.get().ended_at is None
        sweep_changes(plans)
        assert account.subscriptions.get().ended_at
        assert [made.amount_cents for made in account.refunds.all()] == [2_900]
        assert audits.verify() == []

    def test_waits_for_the_money_to_go_back(self, plans):
        account = make_account()
        plans.subscribe(account, "creator")
        plans.wire.fail_next("reset", on="POST /v1/refunds", times=3)

        cancel(account, plans, with_refund=True)
        assert account.subscriptions.get().ended_at is None
        sweep_changes(plans)

        [made] = account.refunds.all()
        assert (made.state, made.credits_removed) == (RefundState.DONE, 600)
        assert account.subscriptions.get().ended_at

    def test_leaves_the_plan_alone_whose_money_cannot_go_back(self, plans):
        account = make_account()
        plans.subscribe(account, "creator")
        client = plans.wire.client().v1
        bill = Invoice.objects.get().stripe_payment_intent_id
        client.refunds.create({"payment_intent": bill, "amount": 100})

        with pytest.raises(canceling_now.RefundIncomplete, match="ref_"):
            cancel(account, plans, with_refund=True)

        [change] = account.plan_changes.all()
        assert change.state == ChangeState.REFUSED
        assert account.subscriptions.get().ended_at is None

    def test_does_not_wait_for_an_end_that_was_chosen_before(self, plans):
        account = make_account()
        owner = make_member(account, Role.OWNER)
        plans.subscribe(account, "creator")
        change(plans, account, owner, "free")

        assert cancel(account, plans, with_refund=False)

        assert account.subscriptions.get().ended_at == plans.at
        states = account.plan_changes.values_list("state", flat=True)
        assert [*states] == [ChangeState.DONE, ChangeState.DONE]

    def test_takes_the_place_of_an_upgrade_that_is_not_paid(self, plans):
        account = make_account()
        owner = make_member(account, Role.OWNER)
        subscription = plans.subscribe(account, "creator")
        plans.let_cards_fail(subscription)
        waiting = change(plans, account, owner, "pro-1000")
        assert waiting.state == ChangeState.UNPAID

        assert cancel(account, plans, with_refund=False)

        waiting.refresh_from_db()
        assert waiting.state == ChangeState.REFUSED
        assert account.subscriptions.get().ended_at == plans.at


def sweep_changes(plans: Plans) -> None:
    plans.at += timedelta(minutes=6)
    plans.wire.at(plans.at)
    for change_id in arranging.due_changes(limit=9, at=plans.at):
        arranging.look_after_change(change_id=change_id, at=plans.at)


class TestRefundOfABill:
    def test_lets_the_plan_go_on(self, plans):
        account = make_account()
        plans.subscribe(account, "creator")
        invoice = Invoice.objects.get()
        plans.wire.client().v1.refunds.create(
            {"payment_intent": invoice.stripe_payment_intent_id, "amount": 1_450}
        )

        plans.hear()

        assert wallet_of(account).available == 300
        assert account.subscriptions.get().ended_at is None
        assert audits.verify() == []

    def test_of_a_year_that_has_ended_leaves_owing_only_what_was_used(self, plans):
        account = make_account()
        plans.subscribe(account, "creator", Interval.YEAR)
        use(account, 500, at=plans.at)
        cancel(account, plans, with_refund=False)
        invoice = Invoice.objects.get()
        plans.wire.client().v1.refunds.create(
            {"payment_intent": invoice.stripe_payment_intent_id}
        )

        plans.hear()

        [made] = account.refunds.all()
        # 100 of the first month and eleven months ended with the plan.
        assert (made.debt_credits, made.credits_expired) == (500, 6_700)
        assert made.debt_cents == 2_000  # of $288 for 7,200
        assert audits.verify() == []
