"""Plans of accounts: cycles, their grants, and the terms of the wallet."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from billing.models import Interval, SubscriptionStatus
from billing.plans import renewing, subscribing
from credits import audits
from credits.models import CreditGrant, SpendingBlock, Wallet
from tests.billing.conftest import on_plan
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db
JAN_31 = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def wallet_of(account) -> Wallet:
    return Wallet.objects.get(account=account)


class TestNewAccount:
    def test_has_a_wallet_that_no_credits_can_be_spent_from(self):
        account = make_account()

        wallet = wallet_of(account)

        assert wallet.balance == 0
        assert wallet.spending_block == SpendingBlock.NO_PAID_PLAN
        assert wallet.way_forward == "Choose a paid plan."

    def test_is_on_free(self, offered):
        account = make_account()

        assert subscribing.plan_of(account.pk, at=NOW).plan.code == "free"


class TestBegin:
    def test_grants_the_first_month_at_its_price(self, offered):
        account = on_plan("business")

        [grant] = CreditGrant.objects.filter(wallet=wallet_of(account))

        assert (grant.granted, grant.cost_basis_cents) == (1_500, 14_900)
        assert grant.effective_at == NOW
        # R14: until the end of the next cycle.
        assert grant.expires_at == datetime(2026, 5, 10, 12, 0, tzinfo=UTC)

    def test_an_annual_month_lives_to_the_end_of_the_paid_year(self, offered):
        account = on_plan("business", interval=Interval.YEAR)

        [grant] = CreditGrant.objects.filter(wallet=wallet_of(account))

        assert (grant.granted, grant.cost_basis_cents) == (1_500, 12_300)
        assert grant.expires_at == datetime(2027, 3, 10, 12, 0, tzinfo=UTC)

    def test_tells_the_wallet_its_cycle_and_that_it_may_be_spent_from(self, offered):
        account = on_plan("pro-1000", anchor_at=datetime(2026, 3, 1, tzinfo=UTC))

        wallet = wallet_of(account)

        assert wallet.spending_block == ""
        assert wallet.cycle_starts_at == datetime(2026, 3, 1, tzinfo=UTC)
        assert wallet.cycle_ends_at == datetime(2026, 4, 1, tzinfo=UTC)

    def test_a_second_live_plan_is_refused(self, offered):
        account = on_plan("business")

        with pytest.raises(IntegrityError, match="subscription_one_live_per_account"):
            renewing.begin(
                account_id=account.pk,
                plan_code="creator",
                interval=Interval.MONTH,
                anchor_at=NOW,
                at=NOW,
            )


class TestRenew:
    def test_months_are_counted_from_the_anchor(self, offered):
        account = on_plan("creator", anchor_at=JAN_31)
        subscription = subscribing.live_subscription(account.pk)

        renewing.renew(subscription_id=subscription.pk, at=NOW)

        second = subscription.cycles.latest("starts_at")
        assert second.starts_at == JAN_31.replace(month=2, day=28)
        assert second.ends_at == JAN_31.replace(month=3, day=31)

    def test_rolled_over_credits_do_not_roll_again(self, offered):
        account = on_plan("creator", anchor_at=JAN_31)
        subscription = subscribing.live_subscription(account.pk)

        renewing.renew(subscription_id=subscription.pk, at=NOW)
        renewing.renew(subscription_id=subscription.pk, at=JAN_31.replace(month=3))

        ends = CreditGrant.objects.filter(is_open=True).order_by("expires_at")
        assert [grant.expires_at for grant in ends] == [
            JAN_31.replace(month=4, day=30),
            JAN_31.replace(month=5, day=31),
        ]
        assert wallet_of(account).available == 1_200

    def test_each_granted_cycle_has_its_grant(self, offered):
        on_plan("creator", anchor_at=JAN_31)

        assert audits.verify() == []


class TestTerms:
    @pytest.mark.parametrize(
        ("plan", "way_forward"),
        [
            ("free", "Choose a paid plan."),
            ("creator", "Upgrade to Pro for more credits."),
            ("pro-1000", "Move to a higher Pro tier."),
            ("pro-100000", "Move to Business to buy credits in blocks."),
            ("business", "Buy credits in blocks of 100 for $5.00."),
        ],
    )
    def test_name_the_way_to_more_credits(self, offered, plan, way_forward):
        account = on_plan(plan)

        assert wallet_of(account).way_forward == way_forward

    @pytest.mark.parametrize(
        ("status", "block"),
        [
            (SubscriptionStatus.PAST_DUE, ""),
            (SubscriptionStatus.TRIALING, ""),
            (SubscriptionStatus.UNPAID, SpendingBlock.PAYMENT_OVERDUE),
            (SubscriptionStatus.INCOMPLETE, SpendingBlock.PAYMENT_OVERDUE),
        ],
    )
    def test_block_spending_when_the_plan_is_not_paid(self, business, status, block):
        business.subscriptions.update(status=status)

        subscribing.push_terms(business.pk, at=NOW)

        assert wallet_of(business).spending_block == block

    def test_go_back_to_free_when_the_plan_has_ended(self, business):
        business.subscriptions.update(status="CANCELED", ended_at=NOW)

        subscribing.push_terms(business.pk, at=NOW)

        wallet = wallet_of(business)
        assert wallet.spending_block == SpendingBlock.NO_PAID_PLAN
        assert wallet.cycle_ends_at is None
