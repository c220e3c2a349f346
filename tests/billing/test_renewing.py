"""Paid terms become months, and months become credits when they begin."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import Notice
from billing.models import Cycle, Interval, PlanVersion
from billing.plans import renewing, subscribing
from billing.subscriptions import notices as plan_notices
from credits import audits, ledger
from credits.models import CreditGrant, Wallet
from tests.billing.conftest import available, on_plan
from tests.billing.plans import DAY
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db
JAN_31 = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
MOMENT = DAY / 86_400_000_000


@pytest.fixture
def yearly(offered):
    """Creator for a year from 31 January on; the first month is granted."""
    account = make_account(billing_email="bills@northwind.example")
    renewing.begin(
        account_id=account.pk,
        plan_code="creator",
        interval=Interval.YEAR,
        anchor_at=JAN_31,
        at=JAN_31,
    )
    return account


def grants() -> list[tuple[datetime, datetime]]:
    found = CreditGrant.objects.order_by("effective_at")
    return [(grant.effective_at, grant.expires_at) for grant in found]


class TestMonthsOfAYear:
    def test_are_granted_when_they_begin(self, yearly):
        march = JAN_31.replace(month=3)

        assert renewing.grant_due_cycles(limit=10, at=march - MOMENT) == 1
        assert renewing.grant_due_cycles(limit=10, at=march) == 1

        assert [starts_at for starts_at, _ in grants()] == [
            JAN_31,
            JAN_31.replace(month=2, day=28),
            march,
        ]

    def test_all_end_with_the_year(self, yearly):
        renewing.grant_due_cycles(limit=12, at=JAN_31.replace(year=2027) - MOMENT)

        assert {ends_at for _, ends_at in grants()} == {JAN_31.replace(year=2027)}
        assert available(yearly) == 12 * 600

    def test_that_were_missed_are_caught_up_with_their_own_dates(self, yearly):
        """R13: nobody looked for half a year."""
        late = JAN_31.replace(month=7)

        assert renewing.grant_due_cycles(limit=100, at=late) == 6

        assert [starts_at.month for starts_at, _ in grants()] == [1, 2, 3, 4, 5, 6, 7]
        assert available(yearly) == 7 * 600
        assert audits.verify() == []

    def test_are_never_granted_twice(self, yearly):
        february = JAN_31.replace(month=2, day=28)

        counts = [renewing.grant_due_cycles(limit=10, at=february) for _ in range(3)]

        assert counts == [1, 0, 0]
        assert available(yearly) == 1_200

    def test_come_in_chunks(self, yearly):
        late = JAN_31.replace(month=7)

        assert renewing.grant_due_cycles(limit=4, at=late) == 4
        assert renewing.grant_due_cycles(limit=4, at=late) == 2

    def test_are_claimed_without_sorting_all_that_is_due(self, yearly):
        plans = []

        def explain(execute, sql, params, many, context):
            if "SKIP LOCKED" in sql and not sql.startswith("EXPLAIN"):
                context["cursor"].execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(line for (line,) in context["cursor"]))
            return execute(sql, params, many, context)

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL random_page_cost = 10000")  # indexes look dear
        with connection.execute_wrapper(explain):
            renewing.grant_due_cycles(limit=4, at=JAN_31.replace(month=7))

        [plan] = plans
        assert "cycle_due" in plan
        assert "Sort" not in plan

    def test_tell_the_wallet_which_of_them_is_running(self, yearly):
        renewing.grant_due_cycles(limit=10, at=JAN_31.replace(month=3))

        wallet = Wallet.objects.get(account=yearly)
        assert wallet.cycle_starts_at == JAN_31.replace(month=3)
        assert wallet.cycle_ends_at == JAN_31.replace(month=4, day=30)

    def test_cost_together_what_the_year_costs(self, offered):
        on_plan("pro-1000", interval=Interval.YEAR)

        cents = Cycle.objects.values_list("price_cents", flat=True)

        assert (len(cents), sum(cents)) == (12, 49_200)

    def test_can_still_change_their_size(self, yearly):
        """R32: an upgrade in the middle of a year."""
        subscription = subscribing.live_subscription(yearly.pk)
        version = subscription.plan_version
        larger = type(version).objects.get(plan__code="pro-1000")

        renewing.resize_coming_months(
            subscription, version=larger, extra_cents=1_101, at=JAN_31
        )

        sizes = Cycle.objects.order_by("month").values_list("credits", "price_cents")
        assert [*sizes] == [(600, 2_400), (1_000, 2_501), *[(1_000, 2_500)] * 10]

    def test_keep_off_what_a_refund_took_when_their_size_changes(self, yearly):
        """R82: the last month is refunded, and three quarters of the one before."""
        subscription = subscribing.live_subscription(yearly.pk)
        Cycle.objects.filter(month=11).update(credits=0, price_cents=0)
        Cycle.objects.filter(month=10).update(credits=150, price_cents=600)
        larger = PlanVersion.objects.get(plan__code="pro-1000")

        renewing.resize_coming_months(
            subscription, version=larger, extra_cents=1_100, at=JAN_31
        )

        [*_, before, last] = Cycle.objects.order_by("month")
        assert (before.credits, before.price_cents) == (550, 700)
        assert (last.credits, last.price_cents) == (400, 100)

    def test_cost_nothing_where_nothing_is_left_of_them(self, yearly):
        subscription = subscribing.live_subscription(yearly.pk)
        Cycle.objects.filter(month__gt=0).update(credits=0, price_cents=0)

        spread = renewing.resize_coming_months(
            subscription,
            version=subscription.plan_version,
            extra_cents=1_100,
            at=JAN_31,
        )

        assert spread == 0
        assert {*Cycle.objects.values_list("month", "price_cents")} == {
            (0, 2_400),
            *((month, 0) for month in range(1, 12)),
        }

    def test_one_that_cannot_be_granted_harms_no_other(self, offered):
        accounts = [on_plan("creator", interval=Interval.YEAR) for _ in range(3)]
        second = Cycle.objects.filter(month=1).order_by("pk")
        ledger.grant(
            wallet_id=Wallet.objects.get(account=accounts[1]).pk,
            source="PLAN",
            source_key=second[1].source_key,
            credits=1,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=NOW,
        )

        due = renewing.grant_due_cycles(limit=10, at=NOW.replace(month=4))

        assert due == 3
        assert [available(account) for account in accounts] == [1_200, 601, 1_200]
        assert second[1].granted_at is None


class TestRenewalNotice:
    def test_comes_once_thirty_days_ahead(self, yearly):
        ahead = JAN_31.replace(year=2027) - 30 * DAY

        told = [
            plan_notices.tell_renewals(limit=10, at=at)
            for at in (ahead - MOMENT, ahead, ahead + DAY)
        ]

        assert told == [0, 1, 0]
        notice = Notice.objects.get(kind="plan_renews")
        assert notice.subject == "Creator of Northwind Studio renews on 31 Jan 2027"
        assert "$288.00" in notice.text

    def test_comes_again_the_year_after(self, yearly):
        ahead = JAN_31.replace(year=2027) - 30 * DAY
        plan_notices.tell_renewals(limit=10, at=ahead)
        subscription = subscribing.live_subscription(yearly.pk)
        renewing.renew(subscription_id=subscription.pk, at=JAN_31.replace(year=2027))

        again = ahead.replace(year=2028)

        assert plan_notices.tell_renewals(limit=10, at=again - DAY) == 0
        assert plan_notices.tell_renewals(limit=10, at=again) == 1

    @pytest.mark.parametrize(
        "change", [{"cancel_at": NOW}, {"interval": "MONTH"}, {"paid_until": None}]
    )
    def test_is_only_for_years_that_will_renew(self, yearly, change):
        yearly.subscriptions.update(**change)

        assert (
            plan_notices.tell_renewals(limit=10, at=datetime(2027, 1, 20, tzinfo=UTC))
            == 0
        )
