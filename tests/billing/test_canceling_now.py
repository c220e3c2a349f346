"""Staff end a plan at once, with or without the price of what is unspent."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from billing import canceling_now
from billing.models import Interval, Invoice
from credits import audits
from tests.billing.plans import DAY, Plans
from tests.billing.refunds import use, wallet_of
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


def cancel(account, plans, *, with_refund: bool) -> None:
    canceling_now.cancel(
        canceling_now.preview(account.pk, at=plans.at),
        with_refund=with_refund,
        by=make_user(),
        reason="The customer died",
        form_key="one",
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
