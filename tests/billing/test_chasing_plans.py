"""The sweeper hears of plans by itself when no webhook comes."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from billing import tasks
from billing.models import Cycle, Interval, Invoice, Subscription
from billing.plans import renewing
from billing.subscriptions import chasing
from billing.webhooks import inbox
from credits import audits, chunks, statements
from credits.models import Wallet
from tests.billing.conftest import available, on_plan
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db
APRIL = NOW.replace(month=4)


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account(billing_email="bills@northwind.example")


@pytest.fixture
def subscription(plans, account) -> Subscription:
    return plans.subscribe(account, "creator")


def sweep(monkeypatch, *, at) -> None:
    monkeypatch.setattr(tasks, "now", lambda: at)
    tasks.sweep()


def pass_in_silence(plans, until) -> None:
    """Let Stripe go on to an instant while every webhook is lost."""
    plans.wire.at(until)
    plans.at = until
    plans.news()


class TestSilence:
    def test_is_waited_for_until_a_renewal_should_be_through(self, plans, subscription):
        assert subscription.next_check_at == APRIL + 3 * HOUR
        assert chasing.due_subscriptions(limit=9, at=APRIL + 2 * HOUR) == []

    def test_at_a_renewal_ends_by_asking(
        self, plans, account, subscription, monkeypatch
    ):
        pass_in_silence(plans, APRIL + 3 * HOUR)

        sweep(monkeypatch, at=plans.at)

        assert available(account) == 1_200
        subscription.refresh_from_db()
        assert subscription.next_check_at == NOW.replace(month=5) + 3 * HOUR
        assert audits.verify() == []

    def test_about_many_bills_is_made_up_for(
        self, plans, account, subscription, monkeypatch
    ):
        pass_in_silence(plans, NOW.replace(month=6) + 3 * HOUR)

        sweep(monkeypatch, at=plans.at)

        assert Cycle.objects.count() == Invoice.objects.count() == 4
        # R14: of four paid months two are over.
        wallet = Wallet.objects.get(account=account)
        assert statements.balance_of(wallet.pk, at=plans.at).available == 1_200

    def test_is_broken_once_by_many_sweepers(self, plans, subscription):
        pass_in_silence(plans, APRIL + 3 * HOUR)
        due = chasing.due_subscriptions(limit=9, at=plans.at)

        asked = len(plans.wire.http_client.requests)
        for _ in range(2):
            chasing.look_after_subscription(subscription_id=due[0], at=plans.at)
            asked, before = len(plans.wire.http_client.requests), asked

        assert asked == before

    def test_of_stripe_itself_is_no_harm(
        self, plans, account, subscription, monkeypatch
    ):
        pass_in_silence(plans, APRIL + 3 * HOUR)
        plans.wire.fail_next("500", times=50)

        sweep(monkeypatch, at=plans.at)
        plans.wire.sandbox.faults.clear()
        for hours in (2, 4):
            sweep(monkeypatch, at=plans.at + hours * HOUR)

        assert available(account) == 1_200

    def test_about_plans_that_stripe_does_not_know_is_natural(self, offered):
        on_plan("creator")

        assert chasing.due_subscriptions(limit=9, at=NOW + 400 * DAY) == []


class TestTasks:
    def test_grant_the_months_that_have_begun(self, offered, monkeypatch):
        account = on_plan("creator", interval=Interval.YEAR)
        monkeypatch.setattr(chunks, "now", lambda: APRIL)

        tasks.grant_cycles()

        assert available(account) == 1_200

    def test_tell_of_years_that_renew(self, offered, monkeypatch):
        account = make_account(billing_email="bills@northwind.example")
        renewing.begin(
            account_id=account.pk,
            plan_code="creator",
            interval=Interval.YEAR,
            anchor_at=NOW,
            at=NOW,
        )

        sweep(monkeypatch, at=NOW.replace(year=2027) - 30 * DAY)

        assert Notice.objects.get().kind == "plan_renews"


class TestLookingAgain:
    def test_needs_no_event(self, plans, account):
        session_id = plans.pay_for(account, "creator")

        for _ in range(2):
            inbox.look_again(
                object_kind="checkout.session", object_id=session_id, at=NOW
            )

        assert available(account) == 600

    def test_leaves_a_lease_alone_and_asks_for_another_round(self, plans, account):
        session_id = plans.pay_for(account, "creator")
        inbox.look_again(object_kind="checkout.session", object_id=session_id, at=NOW)
        subject_id = inbox.WebhookSubject.objects.get().pk
        held = inbox.WebhookSubject.objects.filter(pk=subject_id)
        held.update(
            lease="0" * 32,
            rounds_due=2,
            due_since=NOW,
            next_attempt_at=NOW + inbox.LEASE,
        )

        inbox.look_again(object_kind="checkout.session", object_id=session_id, at=NOW)

        assert held.get().rounds_due == 3
        assert inbox.due_subjects(limit=9, at=NOW) == []
        assert inbox.due_subjects(limit=9, at=NOW + inbox.LEASE) == [subject_id]
