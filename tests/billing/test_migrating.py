"""Price migrations: shown first, told in time, made by Stripe at a whole term (R36)."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Notice, Role
from billing.changes import arranging, changing, migrating
from billing.models import ChangeState, Interval, Plan, PlanChange, PlanVersion
from billing.plans import subscribing
from billing.subscriptions import notices as plan_notices
from config import clock
from credits import audits
from tests.billing.changes import change, tell_prices
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db
APRIL, MAY, JUNE = (NOW.replace(month=month) for month in (4, 5, 6))


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account(billing_email="bills@northwind.example")


@pytest.fixture
def bea(account):
    return make_member(account, Role.OWNER, "bea@northwind.example")


@pytest.fixture
def on_creator(plans, account):
    """On Creator since NOW, of which a dearer version is sold two days later."""
    subscription = plans.subscribe(account, "creator")
    raise_price(subscription.plan_version.plan, NOW + DAY)
    tell_prices()
    plans.travel(NOW + 2 * DAY)
    return subscription


def raise_price(plan: Plan, starts_at) -> None:
    dearer = PlanVersion.objects.get(plan=plan)
    dearer.pk, dearer.version, dearer.starts_at = None, 2, starts_at
    dearer.month_cents, dearer.year_cents = 3_900, 38_400
    dearer.save()


def migrate_all(plans) -> list[PlanChange | None]:
    planned = list(migrating.planned(at=plans.at))
    return [migrating.migrate(one, at=plans.at) for one in planned]


def charged(wire) -> list[int]:
    return [charge["amount"] for charge in wire.charges() if charge["paid"]]


def version_of(account) -> str:
    return str(subscribing.live_subscription(account.pk).plan_version)


class TestPlanned:
    def test_names_who_moves_to_what_from_when(self, plans, account, on_creator):
        [planned] = migrating.planned(at=plans.at)

        assert planned.subscription == on_creator
        assert str(planned.target.version) == "creator v2"
        assert (planned.old_cents, planned.new_cents) == (2_900, 3_900)
        # The term that begins in April is less than 30 days away.
        assert planned.begins_at == MAY

    def test_of_a_year_waits_for_its_end(self, plans, account):
        subscription = plans.subscribe(account, "creator", Interval.YEAR)
        raise_price(subscription.plan_version.plan, NOW)

        [planned] = migrating.planned(at=NOW)

        assert planned.begins_at == NOW.replace(year=2027)

    def test_leaves_who_is_on_the_present_version(self, plans, account, on_creator):
        plans.subscribe(make_account("Contoso"), "creator")

        assert len(list(migrating.planned(at=plans.at))) == 1

    def test_is_of_one_plan_if_that_is_asked(self, plans, account, on_creator):
        assert list(migrating.planned(plan_code="business", at=plans.at)) == []

    def test_says_who_stays_for_now(self, plans, account, bea, on_creator):
        change(plans, account, bea, "free")

        [planned] = migrating.planned(at=plans.at)

        assert planned.obstacle == (
            "Your plan is going to end. Keep it first, then change it."
        )
        assert migrating.migrate(planned, at=plans.at) is None


class TestMigrate:
    def test_charges_the_old_price_until_the_day_and_then_the_new(
        self, plans, wire, account, on_creator
    ):
        [made] = migrate_all(plans)

        plans.travel(APRIL + 2 * HOUR)
        before = version_of(account)
        plans.travel(JUNE + 2 * HOUR)

        assert made.state == ChangeState.SCHEDULED
        assert before == "creator v1"
        assert version_of(account) == "creator v2"
        assert charged(wire) == [2_900, 2_900, 3_900, 3_900]
        assert PlanChange.objects.get().state == ChangeState.DONE
        assert audits.verify() == []

    def test_tells_the_customer_what_when_and_how_to_avoid_it(
        self, plans, account, on_creator
    ):
        migrate_all(plans)

        [notice] = Notice.objects.filter(kind="plan_price_changes")
        assert notice.subject == (
            "The price of Creator of Northwind Studio changes on 10 May 2026"
        )
        assert "every month for $39.00 instead of $29.00" in notice.text
        assert "change or cancel the plan before that day" in notice.text

    def test_is_the_price_that_the_reminder_of_a_year_names(self, plans, account):
        subscription = plans.subscribe(account, "creator", Interval.YEAR)
        raise_price(subscription.plan_version.plan, NOW)
        tell_prices()
        migrate_all(plans)

        plan_notices.tell_renewals(limit=9, at=NOW.replace(year=2027) - 20 * DAY)

        [reminder] = Notice.objects.filter(kind="plan_renews")
        assert "The price is $384.00" in reminder.text

    def test_twice_is_once(self, plans, account, on_creator):
        migrate_all(plans)

        assert migrate_all(plans) == [None]
        assert Notice.objects.filter(kind="plan_price_changes").count() == 1

    def test_gives_way_to_an_upgrade(self, plans, account, bea, on_creator):
        migrate_all(plans)

        change(plans, account, bea, "pro-1000")
        plans.travel(MAY + 2 * HOUR)

        states = PlanChange.objects.order_by("pk").values_list("kind", "state")
        assert [*states] == [("MIGRATE", "UNDONE"), ("UPGRADE", "DONE")]
        assert version_of(account) == "pro-1000 v1"
        assert not Notice.objects.filter(kind="plan_change_undone").exists()

    def test_gives_way_to_canceling_and_comes_again(
        self, plans, account, bea, on_creator
    ):
        migrate_all(plans)
        end = change(plans, account, bea, "free")
        arranging.take_back(end, at=plans.at)

        [again] = migrate_all(plans)

        assert again.state == ChangeState.SCHEDULED
        assert changing.scheduled_change(account.pk) == again

    def test_gives_way_to_a_downgrade(self, plans, account, bea):
        subscription = plans.subscribe(account, "pro-1000")
        raise_price(subscription.plan_version.plan, NOW)
        tell_prices()
        migrate_all(plans)

        change(plans, account, bea, "creator")
        plans.travel(APRIL + 2 * HOUR)

        assert version_of(account) == "creator v1"

    def test_of_which_stripe_hears_nothing_is_tried_by_the_sweeper(
        self, plans, wire, account, on_creator
    ):
        wire.fail_next("reset", on="POST /v1/subscription_schedules", times=3)
        [made] = migrate_all(plans)
        later = plans.at + DAY / 720
        was = made.state

        arranging.look_after_change(change_id=made.pk, at=later)

        made.refresh_from_db()
        assert (was, made.state) == (ChangeState.ASKED, ChangeState.SCHEDULED)


class TestCommand:
    @pytest.fixture(autouse=True)
    def _then(self, plans, account, on_creator):
        clock.set_offset(plans.at - clock.now())

    def test_only_shows_by_default(self, account):
        said = run()

        assert f"{account.public_id}  creator v1 -> creator v2" in said
        assert "$29.00 -> $39.00 monthly  from 2026-05-10" in said
        assert "1 would move; 0 stay for now." in said
        assert not PlanChange.objects.exists()

    def test_executes_when_told_to(self):
        assert "1 are told and move; 0 stay for now." in run("--execute")
        assert PlanChange.objects.get().state == ChangeState.SCHEDULED


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("migrate_prices", *arguments, stdout=out)
    return out.getvalue()
