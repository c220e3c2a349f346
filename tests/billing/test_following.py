"""What Stripe says of plans and bills becomes ours, in any order, however often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from django.db import transaction

from accounts.models import Notice
from billing import stripe_gateway
from billing.models import (
    Cycle,
    Interval,
    Invoice,
    InvoiceStatus,
    PlanPeriod,
    Subscription,
    SubscriptionStatus,
    WebhookEvent,
    WebhookSubject,
)
from billing.plans import catalogue
from billing.subscriptions import bills, following
from billing.subscriptions.following import Followed
from billing.webhooks import inbox
from credits import audits
from credits.models import CreditGrant, Wallet
from tests.billing.conftest import available, event_of
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db
APRIL, MAY = NOW.replace(month=4), NOW.replace(month=5)


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account(billing_email="bills@northwind.example")


def first_grant(account) -> CreditGrant:
    return CreditGrant.objects.filter(wallet__account=account).earliest("pk")


class TestSubscribing:
    def test_puts_the_account_on_the_plan_that_was_paid(self, plans, account):
        subscription = plans.subscribe(account, "creator")

        assert subscription.plan_version.plan.code == "creator"
        assert subscription.interval == Interval.MONTH
        assert subscription.status == SubscriptionStatus.ACTIVE
        assert (subscription.anchor_at, subscription.paid_until) == (NOW, APRIL)

    def test_grants_the_first_month_at_once_for_what_was_paid(self, plans, account):
        plans.subscribe(account, "creator")

        grant = first_grant(account)
        assert (grant.granted, grant.cost_basis_cents) == (600, 2_900)
        assert (grant.effective_at, grant.expires_at) == (NOW, MAY)
        assert audits.verify() == []

    def test_records_the_bill(self, plans, account):
        plans.subscribe(account, "creator")

        invoice = Invoice.objects.get()
        assert (invoice.status, invoice.reason) == ("PAID", "subscription_create")
        assert (invoice.net_cents, invoice.tax_cents) == (2_900, 0)
        assert invoice.paid_at == NOW
        assert Cycle.objects.get().invoice == invoice

    def test_a_year_has_twelve_months_of_which_the_first_is_granted(
        self, plans, account
    ):
        plans.subscribe(account, "creator", Interval.YEAR)

        cycles = Cycle.objects.order_by("month")
        assert [cycle.month for cycle in cycles] == [*range(12)]
        assert [cycle.price_cents for cycle in cycles] == [2_400] * 12
        assert {cycle.expires_at for cycle in cycles} == {NOW.replace(year=2027)}
        assert [cycle.granted_at for cycle in cycles] == [NOW] + [None] * 11

    def test_the_return_page_needs_no_webhook(self, plans, account):
        session_id = plans.pay_for(account, "creator")

        inbox.look_again(object_kind="checkout.session", object_id=session_id, at=NOW)

        assert available(account) == 600

    def test_every_order_of_events_comes_to_the_same(self, plans, account):
        plans.pay_for(account, "creator")
        kinds = ("subscription", "invoice", "checkout.session")
        events = [e for e in plans.news() if e["data"]["object"]["object"] in kinds]
        chance = Random(4)  # noqa: S311

        for _ in range(6):
            chance.shuffle(events)
            outcome = outcome_of([*events, events[0]], account)

            assert outcome == (600, 2_900, 1, 1, 1, [])

    def test_each_object_alone_is_enough(self, plans, account):
        plans.pay_for(account, "creator")
        events = plans.news()
        [checkout] = [e for e in events if e["type"] == "checkout.session.completed"]
        [invoice] = [e for e in events if e["type"] == "invoice.paid"]

        for event in (checkout, invoice):
            assert outcome_of([event], account) == (600, 2_900, 1, 1, 1, [])

    def test_a_subscription_of_somebody_else_is_left_alone(self, plans, account):
        subscription = plans.subscribe(account, "creator")
        fetched = stripe_gateway.subscription(subscription.stripe_subscription_id)

        foreign = replace(fetched, id="sub_foreign", account="")

        assert following.follow_subscription(foreign, at=NOW) == Followed.NOT_OURS
        assert Subscription.objects.count() == 1

    def test_an_unknown_account_waits_in_the_inbox(self, plans, account):
        plans.pay_for(account, "creator")
        public_id, account.public_id = account.public_id, "acc_elsewhere"
        account.save()

        plans.hear()

        waiting = WebhookSubject.objects.exclude(last_error="")
        assert {subject.kind for subject in waiting} == {
            "subscription",
            "invoice",
            "checkout.session",
        }
        assert "There is no account" in waiting[0].last_error
        assert available(account) == 0
        # R98: and is replayed once the account is there.
        account.public_id = public_id
        account.save()
        plans.at += HOUR
        plans.work_off()
        assert available(account) == 600
        assert not waiting.all().exists()

    def test_a_second_plan_beside_a_live_one_waits_too(self, plans, account):
        plans.subscribe(account, "creator")

        plans.pay_for(account, "pro-1000")
        plans.hear()

        assert Subscription.objects.count() == 1
        assert available(account) == 600
        errors = WebhookSubject.objects.exclude(last_error="")
        assert {e.last_error.partition(":")[0] for e in errors} == {"AnotherPlanLives"}


class TestRenewal:
    def test_comes_with_the_paid_bill_and_the_original_dates(self, plans, account):
        plans.subscribe(account, "creator")

        plans.travel(APRIL + 2 * HOUR)

        renewed = Cycle.objects.latest("starts_at")
        assert (renewed.starts_at, renewed.ends_at) == (APRIL, MAY)
        assert renewed.granted_at == APRIL + HOUR
        assert available(account) == 1_200

    def test_is_told_of_once(self, plans, account):
        plans.subscribe(account, "creator")
        plans.travel(APRIL + 2 * HOUR)

        for invoice in Invoice.objects.all():
            inbox.look_again(
                object_kind="invoice",
                object_id=invoice.stripe_invoice_id,
                at=APRIL + DAY,
            )

        assert [notice.kind for notice in Notice.objects.all()] == ["plan_paid"] * 2
        assert CreditGrant.objects.count() == 2

    def test_keeps_the_31st(self, wire, account):
        jan_31 = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
        wire.at(jan_31)
        plans = Plans(wire, at=jan_31)
        plans.subscribe(account, "creator")

        plans.travel(jan_31.replace(month=5))

        assert [cycle.starts_at for cycle in Cycle.objects.order_by("starts_at")] == [
            jan_31,
            jan_31.replace(month=2, day=28),
            jan_31.replace(month=3),
            jan_31.replace(month=4, day=30),
        ]
        assert [
            grant.expires_at for grant in CreditGrant.objects.order_by("expires_at")
        ] == [
            jan_31.replace(month=3),
            jan_31.replace(month=4, day=30),
            jan_31.replace(month=5),
            jan_31.replace(month=6, day=30),
        ]

    def test_an_old_answer_undoes_nothing(self, plans, account):
        plans.subscribe(account, "creator")
        bill = bills.fetch_bill(Invoice.objects.get().stripe_invoice_id)
        old = replace(bill, invoice=replace(bill.invoice, status="open", paid_at=None))

        bills.follow_invoice(old, at=NOW)

        assert Invoice.objects.get().status == InvoiceStatus.PAID


class TestPlanChange:
    def test_is_followed_and_remembered(self, plans, account):
        subscription = plans.subscribe(account, "creator")
        pro = plans.price_id(version_of("pro-1000"))
        fetched = stripe_gateway.subscription(subscription.stripe_subscription_id)

        plans.travel(NOW + 10 * DAY)
        plans.update(subscription, items=[{"id": fetched.item_id, "price": pro}])
        plans.hear()

        subscription.refresh_from_db()
        assert subscription.plan_version.plan.code == "pro-1000"
        periods = PlanPeriod.objects.order_by("starts_at")
        assert [(str(p.plan_version), p.starts_at) for p in periods] == [
            ("creator v1", NOW),
            ("pro-1000 v1", NOW + 10 * DAY),
        ]

    def test_proration_lines_make_no_month(self, plans, account):
        subscription = plans.subscribe(account, "creator")
        pro = plans.price_id(version_of("pro-1000"))
        fetched = stripe_gateway.subscription(subscription.stripe_subscription_id)

        plans.travel(NOW + 10 * DAY)
        plans.update(
            subscription,
            items=[{"id": fetched.item_id, "price": pro}],
            proration_behavior="always_invoice",
        )
        plans.hear()

        assert Invoice.objects.filter(status="PAID").count() == 2
        assert Cycle.objects.count() == 1


def version_of(code: str):
    return catalogue.plan_in_force(code, at=NOW)


def outcome_of(events, account) -> tuple:
    """Hear these events, look at what came of it, and forget it all."""
    with transaction.atomic():
        for event in events:
            inbox.receive(event_of(event), at=NOW)
        for subject_id in inbox.due_subjects(limit=100, at=NOW):
            inbox.look_at(subject_id, at=NOW)
        outcome = (
            Wallet.objects.get(account=account).available,
            Invoice.objects.get().net_cents,
            Cycle.objects.count(),
            CreditGrant.objects.count(),
            Notice.objects.count(),
            audits.verify(),
        )
        assert not WebhookEvent.objects.filter(handled_at=None).exists()
        transaction.set_rollback(True)
    return outcome
