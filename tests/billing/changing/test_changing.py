"""Changes of plan: what was shown is what happens, once, or nothing does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import stripe_gateway
from billing.changes import arranging, previewing
from billing.models import (
    ChangeState,
    Cycle,
    Interval,
    Invoice,
    Plan,
    PlanChange,
    PlanVersion,
    Subscription,
)
from billing.plans import subscribing
from credits import audits, ledger
from credits.models import CreditGrant, Wallet
from tests.billing.changes import (
    APRIL,
    HALF,
    MAY,
    change,
    charged,
    confirm,
    plan,
    shown,
    upgrade_grants,
)
from tests.billing.conftest import available
from tests.billing.plans import DAY, HOUR
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db


class TestPreview:
    def test_that_is_too_old_is_shown_again(self, plans, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")
        plans.travel(plans.at + timedelta(minutes=10))

        with pytest.raises(previewing.PreviewDiffers) as differs:
            confirm(plans, account, bea, previewed)

        assert differs.value.now.prorated_at == plans.at
        assert not PlanChange.objects.exists()

    def test_that_another_price_has_overtaken_is_shown_again(
        self, plans, account, bea, on_creator
    ):
        previewed = shown(plans, account, "pro-1000")
        customer = stripe_gateway.subscription(
            on_creator.stripe_subscription_id
        ).customer_id
        plans.wire.client().v1.invoice_items.create(
            {
                "customer": customer,
                "subscription": on_creator.stripe_subscription_id,
                "amount": 700,
                "currency": "usd",
                "description": "Consulting",
            }
        )

        with pytest.raises(previewing.PreviewDiffers) as differs:
            confirm(plans, account, bea, previewed)

        assert differs.value.now.due_cents == 1_700

    def test_of_a_plan_that_changed_meanwhile_is_shown_again(
        self, plans, account, bea, on_creator
    ):
        previewed = shown(plans, account, "pro-5000")
        change(plans, account, bea, "pro-1000")

        with pytest.raises(previewing.PreviewDiffers) as differs:
            confirm(plans, account, bea, previewed)

        assert str(differs.value.now.old) == "pro-1000 v1"

    def test_is_of_one_account(self, plans, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")
        other = make_account()

        with pytest.raises(previewing.ChangeRefused):
            confirm(plans, other, bea, previewed)


class TestDowngrade:
    @pytest.fixture
    def on_pro(self, plans, account, bea) -> Subscription:
        subscription = plans.subscribe(account, "pro-1000")
        plans.travel(HALF)
        return subscription

    def test_waits_for_the_end_of_the_term(self, plans, wire, account, bea, on_pro):
        previewed = shown(plans, account, "creator")

        made = confirm(plans, account, bea, previewed)

        assert (previewed.due_cents, previewed.credits_now) == (0, 0)
        assert made.state == ChangeState.SCHEDULED
        assert made.takes_effect_at == previewed.takes_effect_at == APRIL
        assert plan(account) == "pro-1000 v1"
        assert charged(wire) == [4_900]

    def test_then_renews_as_the_smaller_plan(self, plans, wire, account, bea, on_pro):
        made = change(plans, account, bea, "creator")

        plans.travel(APRIL + 2 * HOUR)

        made.refresh_from_db()
        assert made.state == ChangeState.DONE
        assert plan(account) == "creator v1"
        assert charged(wire) == [4_900, 2_900]
        assert available(account) == 1_600  # nothing is trimmed (R26)

    def test_keeps_what_the_smaller_plan_brings_if_that_is_set(
        self, plans, account, bea, on_pro, settings
    ):
        settings.TRIM_ON_DOWNGRADE = True
        change(plans, account, bea, "creator")

        plans.travel(APRIL + 2 * HOUR)

        left = CreditGrant.objects.values_list("granted", "remaining").order_by("pk")
        assert [*left] == [(1_000, 600), (600, 600)]
        assert audits.verify() == []

    def test_never_takes_what_a_job_holds(self, plans, account, bea, on_pro, settings):
        settings.TRIM_ON_DOWNGRADE = True
        change(plans, account, bea, "creator")
        plans.travel(APRIL - HOUR)
        ledger.hold(
            wallet_id=Wallet.objects.get(account=account).pk,
            credits=700,
            rate_version=1,
            idempotency_key="job",
            actor="test",
            at=plans.at,
        )

        plans.travel(APRIL + 2 * HOUR)

        assert CreditGrant.objects.earliest("pk").remaining == 1_000

    def test_can_be_taken_back(self, plans, wire, account, bea, on_pro):
        made = change(plans, account, bea, "creator")

        arranging.take_back(made, at=plans.at)
        plans.travel(APRIL + 2 * HOUR)

        made.refresh_from_db()
        assert made.state == ChangeState.UNDONE
        assert charged(wire) == [4_900, 4_900]

    def test_can_be_replaced_by_another(self, plans, account, bea):
        plans.subscribe(account, "pro-5000")
        first = change(plans, account, bea, "creator")

        second = change(plans, account, bea, "pro-1000")
        plans.travel(APRIL + 2 * HOUR)

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == (ChangeState.UNDONE, ChangeState.DONE)
        assert plan(account) == "pro-1000 v1"

    def test_leaves_no_schedule_behind(self, plans, account, bea, on_pro):
        change(plans, account, bea, "creator")
        change(plans, account, bea, "pro-5000")
        made = change(plans, account, bea, "free")

        fetched = stripe_gateway.subscription(on_pro.stripe_subscription_id)
        assert fetched.schedule_id == ""
        assert fetched.cancel_at == APRIL
        states = PlanChange.objects.order_by("pk").values_list("state", flat=True)
        assert [*states] == ["UNDONE", "DONE", "SCHEDULED"]
        assert made.kind == "CANCEL"

    def test_twice_in_a_row_replaces_the_right_phase(self, plans, account, bea):
        plans.subscribe(account, "pro-5000")
        change(plans, account, bea, "pro-1000")
        plans.travel(APRIL + DAY)

        # The first schedule still leads the subscription through its second month.
        change(plans, account, bea, "creator")
        plans.travel(MAY + 2 * HOUR)

        assert plan(account) == "creator v1"


class TestCancel:
    def test_keeps_everything_until_the_end_of_the_term(
        self, plans, account, bea, on_creator
    ):
        made = change(plans, account, bea, "free")

        assert (made.state, made.takes_effect_at) == (ChangeState.SCHEDULED, APRIL)
        assert plan(account) == "creator v1"
        assert available(account) == 600

    def test_then_ends_the_plan(self, plans, account, bea, on_creator):
        made = change(plans, account, bea, "free")

        plans.travel(APRIL + HOUR)

        made.refresh_from_db()
        assert made.state == ChangeState.DONE
        assert plan(account) == "free v1"
        assert available(account) == 0

    def test_can_be_taken_back(self, plans, account, bea, on_creator):
        made = change(plans, account, bea, "free")

        arranging.take_back(made, at=plans.at)
        plans.travel(APRIL + 2 * HOUR)

        made.refresh_from_db()
        assert made.state == ChangeState.UNDONE
        assert plan(account) == "creator v1"
        assert available(account) == 1_200

    def test_can_be_done_and_undone_any_number_of_times(
        self, plans, account, bea, on_creator
    ):
        for _ in range(3):
            arranging.take_back(change(plans, account, bea, "free"), at=plans.at)

        fetched = stripe_gateway.subscription(on_creator.stripe_subscription_id)
        assert fetched.cancel_at is None

    def test_of_an_unpaid_plan_is_at_once(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)
        plans.travel(APRIL + 2 * HOUR)

        with pytest.raises(previewing.ChangeRefused, match="overdue"):
            shown(plans, account, "pro-1000")
        made = change(plans, account, bea, "free")

        assert made.state == ChangeState.DONE
        assert plan(account) == "free v1"


class TestInterval:
    def test_a_longer_one_begins_now(self, plans, wire, account, bea, on_creator):
        previewed = shown(plans, account, "creator", Interval.YEAR)

        made = confirm(plans, account, bea, previewed)

        assert made.state == ChangeState.DONE
        assert previewed.due_cents == 28_800 - 1_450
        assert charged(wire) == [2_900, 27_350]
        subscription = Subscription.objects.get()
        assert subscription.interval == Interval.YEAR
        assert subscription.paid_until == HALF.replace(year=2027)
        assert available(account) == 1_200
        assert audits.verify() == []

    def test_a_longer_one_may_begin_in_the_second_in_which_the_month_did(
        self, plans, account, bea
    ):
        plans.subscribe(account, "creator")

        change(plans, account, bea, "creator", Interval.YEAR)

        subscription = account.subscriptions.get()
        year = subscribing.current_cycle(subscription, at=NOW)
        assert year.expires_at == NOW.replace(year=2027)
        assert subscription.paid_until == NOW.replace(year=2027)
        assert available(account) == 1_200
        assert audits.verify() == []

    def test_a_shorter_one_waits_for_the_renewal(self, plans, account, bea):
        plans.subscribe(account, "creator", Interval.YEAR)

        made = change(plans, account, bea, "creator")

        assert made.state == ChangeState.SCHEDULED
        assert made.takes_effect_at == NOW.replace(year=2027)

    def test_an_upgrade_within_a_year_resizes_the_coming_months(
        self, plans, wire, account, bea
    ):
        plans.subscribe(account, "creator", Interval.YEAR)
        plans.travel(HALF)

        change(plans, account, bea, "pro-1000", Interval.YEAR)

        assert [grant.granted for grant in upgrade_grants(account)] == [200]
        coming = Cycle.objects.filter(granted_at=None)
        assert {cycle.credits for cycle in coming} == {1_000}
        upgrade = charged(wire)[1]
        basis = sum(c.price_cents for c in Cycle.objects.all())
        assert basis + upgrade_grants(account)[0].cost_basis_cents == 28_800 + upgrade


class TestSubscribing:
    def test_goes_by_a_checkout_page(self, plans, wire, account, bea):
        made = change(plans, account, bea, "creator")

        assert (made.state, made.shown_cents) == (ChangeState.ASKED, 2_900)
        assert wire.pay(made.stripe_session_id).status == 303
        arranging.look(made, at=NOW)

        made.refresh_from_db()
        assert made.state == ChangeState.DONE
        assert made.subscription == Subscription.objects.get()
        assert made.invoice == Invoice.objects.get()
        assert available(account) == 600

    def test_that_nobody_pays_comes_to_nothing(self, plans, wire, account, bea):
        made = change(plans, account, bea, "creator")

        plans.travel(NOW + 2 * HOUR)

        made.refresh_from_db()
        assert made.state == ChangeState.REFUSED
        assert plan(account) == "free v1"

    def test_another_plan_closes_the_page_of_the_first(self, plans, wire, account, bea):
        first = change(plans, account, bea, "creator")

        second = change(plans, account, bea, "pro-1000")

        first.refresh_from_db()
        assert (first.state, second.state) == (ChangeState.REFUSED, ChangeState.ASKED)
        [old, new] = [session["status"] for session in wire.sessions()]
        assert (old, new) == ("expired", "open")

    def test_another_plan_than_was_just_paid_is_shown_again(
        self, plans, wire, account, bea
    ):
        first = change(plans, account, bea, "creator")
        other = shown(plans, account, "pro-1000")
        wire.pay(first.stripe_session_id)

        with pytest.raises(previewing.PreviewDiffers) as differs:
            confirm(plans, account, bea, other)

        assert str(differs.value.now.old) == "creator v1"
        assert plan(account) == "creator v1"

    def test_again_after_the_end_thaws_nothing_twice(self, plans, wire, account, bea):
        plans.subscribe(account, "creator")
        change(plans, account, bea, "free")
        plans.travel(APRIL + HOUR)

        made = change(plans, account, bea, "creator")
        wire.pay(made.stripe_session_id)
        plans.hear()

        assert Subscription.objects.get(ended_at=None).anchor_at == APRIL + HOUR
        assert available(account) == 600


class TestPrices:
    def test_of_a_later_version_are_for_later_customers(
        self, plans, wire, account, bea, on_creator
    ):
        """R36: whoever is on a version renews at its price."""
        plan = Plan.objects.get(code="creator")
        dearer = PlanVersion.objects.get(plan=plan)
        dearer.pk, dearer.version, dearer.starts_at = None, 2, HALF
        dearer.month_cents = 3_900
        dearer.save()

        plans.travel(APRIL + 2 * HOUR)

        assert charged(wire) == [2_900, 2_900]
        assert subscribing.plan_of(account.pk, at=plans.at).version == 1

    def test_are_offered_at_the_latest_version(self, plans, account, bea):
        plan = Plan.objects.get(code="creator")
        dearer = PlanVersion.objects.get(plan=plan)
        dearer.pk, dearer.version, dearer.starts_at = None, 2, NOW
        dearer.month_cents = 3_900
        dearer.save()

        assert shown(plans, account, "creator").due_cents == 3_900
