"""Coupons and trials, however a subscription came by them: what they cost and grant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.models import Cycle, Interval, Invoice, SubscriptionStatus
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from credits import audits
from credits.models import CreditGrant
from tests.billing.conftest import available
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db
APRIL = NOW.replace(month=4)
TRIAL_ENDS = NOW + 14 * DAY


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account()


@pytest.fixture
def on_trial(plans, account):
    """On Creator since NOW, free of charge for 14 days."""
    plans.pay_for(account, "creator", trial_period_days=14)
    plans.hear()
    return account.subscriptions.get()


def costs(account) -> list[tuple[int, int]]:
    """What each grant brought, and what was paid for it."""
    grants = CreditGrant.objects.filter(wallet__account=account).order_by("pk")
    return list(grants.values_list("granted", "cost_basis_cents"))


class TestTrial:
    def test_that_nobody_paid_for_grants_nothing(self, on_trial, account):
        assert on_trial.status == SubscriptionStatus.TRIALING
        assert Invoice.objects.get().status == "PAID"
        assert available(account) == 0
        assert not Cycle.objects.exists()

    def test_is_a_plan_all_the_same(self, on_trial):
        assert subscribing.standing(on_trial, at=NOW) == Standing.ACTIVE
        assert subscribing.spends_until(on_trial) == TRIAL_ENDS + timedelta(days=7)

    def test_that_is_paid_for_at_its_end_brings_the_normal_grant(
        self, plans, on_trial, account
    ):
        plans.travel(TRIAL_ENDS + 2 * HOUR)

        on_trial.refresh_from_db()
        assert on_trial.status == SubscriptionStatus.ACTIVE
        assert Cycle.objects.get().starts_at == TRIAL_ENDS
        assert costs(account) == [(600, 2_900)]

    def test_that_is_given_up_leaves_nothing_behind(self, plans, on_trial, account):
        plans.update(on_trial, cancel_at_period_end=True)

        plans.travel(TRIAL_ENDS + HOUR)

        on_trial.refresh_from_db()
        assert on_trial.ended_at == TRIAL_ENDS
        assert costs(account) == []


class TestCoupon:
    @pytest.mark.parametrize(("percent", "cents"), [(50, 1_450), (100, 0)])
    def test_lowers_the_cost_of_the_credits_and_not_their_number(
        self, plans, account, percent, cents
    ):
        subscription = plans.subscribe(account, "creator")
        plans.take_off(subscription, percent)

        plans.travel(APRIL + 2 * HOUR)

        assert costs(account) == [(600, 2_900), (600, cents)]

    def test_of_a_year_lowers_the_cost_of_each_month(self, plans, account):
        subscription = plans.subscribe(account, "creator")
        plans.take_off(subscription, 50)
        plans.update(
            subscription,
            items=[
                {
                    "id": plans.item_id(subscription),
                    "price": plans.price_id(subscription.plan_version, Interval.YEAR),
                }
            ],
            proration_behavior="none",
        )
        plans.hear()

        year = Cycle.objects.filter(invoice__reason="subscription_update")
        assert [cycle.price_cents for cycle in year] == [1_200] * 12
        assert audits.verify() == []
