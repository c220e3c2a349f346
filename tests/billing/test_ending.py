"""The end of a plan: what is forfeited, what is kept, what a new plan brings back."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, Notice, Role
from billing import stripe_gateway
from billing.models import Cycle, Interval, Invoice, Refund, Subscription
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from billing.purchases import purchasing, settling
from billing.refunds import refunding
from billing.subscriptions import chasing
from credits import audits, ledger, statements
from credits.models import CreditGrant, GrantSource, LedgerEntry, SpendingBlock, Wallet
from tests.billing.conftest import available, buy
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import job, make_account, make_member

pytestmark = pytest.mark.django_db
APRIL, MAY, JUNE = (NOW.replace(month=month) for month in (4, 5, 6))
MOMENT = DAY / 86_400_000_000


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account(billing_email="bills@northwind.example")


@pytest.fixture
def subscription(plans, account) -> Subscription:
    """Business since NOW: 1,500 credits."""
    return plans.subscribe(account, "business")


def cancel(plans, subscription) -> None:
    plans.update(subscription, cancel_at_period_end=True)
    plans.hear()


def wallet_of(account) -> Wallet:
    return Wallet.objects.get(account=account)


def buy_blocks(plans, account, blocks=3):
    purchase = buy(account, make_member(account, Role.OWNER), blocks, at=plans.at)
    plans.wire.pay(purchase.stripe_session_id)
    settling.settle(session_id=purchase.stripe_session_id, at=plans.at)
    return CreditGrant.objects.get(source=GrantSource.PURCHASE)


class TestScheduledEnd:
    def test_changes_nothing_before_its_day(self, plans, account, subscription):
        cancel(plans, subscription)

        subscription.refresh_from_db()
        assert subscription.cancel_at == APRIL
        assert subscribing.standing(subscription, at=plans.at) == Standing.ENDING
        assert available(account) == 1_500
        assert CreditGrant.objects.get().expires_at == MAY

    def test_is_what_pages_say_of_plan_credits(self, plans, account, subscription):
        cancel(plans, subscription)

        balance = statements.balance_of(wallet_of(account).pk, at=plans.at)

        assert balance.grants[0].expires_at == balance.next_expiry_at == APRIL

    def test_taken_back_leaves_no_trace(self, plans, account, subscription):
        before = wallet_of(account)
        cancel(plans, subscription)

        plans.update(subscription, cancel_at_period_end=False)
        plans.hear()

        # R15, R59: no new grant, no charge, and the old dates.
        assert wallet_of(account).plan_ends_at is None
        assert wallet_of(account).next_expiry_at == before.next_expiry_at == MAY
        plans.travel(APRIL + 2 * HOUR)
        assert available(account) == 3_000
        assert Invoice.objects.count() == 2

    def test_holds_at_its_instant_though_nobody_has_heard(
        self, plans, account, subscription
    ):
        cancel(plans, subscription)
        wallet = wallet_of(account)
        ledger.spend(job(wallet, 100), at=APRIL - MOMENT)

        with pytest.raises(ledger.SpendingBlocked) as refusal:
            ledger.spend(job(wallet, 100), at=APRIL)

        assert refusal.value.block == SpendingBlock.NO_PAID_PLAN
        subscription.refresh_from_db()
        assert subscribing.standing(subscription, at=APRIL) == Standing.OVER
        [expired] = LedgerEntry.objects.filter(kind="EXPIRE")
        assert (expired.credits, expired.occurred_at) == (-1_400, APRIL)

    def test_uses_plan_credits_before_blocks_that_outlive_them(
        self, plans, account, subscription
    ):
        """R2: soonest expiry first, and the plan's end is one."""
        block = buy_blocks(plans, account)
        in_april = APRIL + 20 * DAY  # before the plan credits' own date, 10 May
        moved = ledger.grant(
            wallet_id=wallet_of(account).pk,
            source=GrantSource.PROMO,
            source_key="promo",
            credits=50,
            cost_basis_cents=0,
            effective_at=plans.at,
            expires_at=in_april,
            actor="test",
            at=plans.at,
        )
        cancel(plans, subscription)

        ledger.spend(job(wallet_of(account), 10), at=plans.at)

        assert CreditGrant.objects.get(pk=moved.grant_id).remaining == 50
        assert CreditGrant.objects.get(pk=block.pk).remaining == 300
        assert CreditGrant.objects.get(source=GrantSource.PLAN).remaining == 1_490


class TestEnd:
    def test_forfeits_what_the_plan_gave(self, plans, account, subscription):
        cancel(plans, subscription)

        plans.travel(APRIL + HOUR)

        subscription.refresh_from_db()
        assert (subscription.status, subscription.ended_at) == ("CANCELED", APRIL)
        wallet = wallet_of(account)
        assert (wallet.balance, wallet.spending_block) == (0, "NO_PAID_PLAN")
        [expired] = LedgerEntry.objects.filter(kind="EXPIRE")
        assert (expired.credits, expired.occurred_at) == (-1_500, APRIL)
        assert audits.verify() == []

    def test_in_the_instant_in_which_a_month_began_forfeits_it_too(
        self, plans, account, subscription
    ):
        plans.wire.client().v1.subscriptions.cancel(subscription.stripe_subscription_id)

        plans.hear()

        [grant] = CreditGrant.objects.filter(wallet__account=account)
        assert (grant.expires_at, grant.remaining) == (NOW, 0)
        assert "1,500 credits" in Notice.objects.filter(kind="plan_ended").first().text
        assert audits.verify() == []

    def test_freezes_what_was_bought_to_its_own_expiry(
        self, plans, account, subscription
    ):
        block = buy_blocks(plans, account)
        cancel(plans, subscription)

        plans.travel(APRIL + HOUR)

        block.refresh_from_db()
        assert block.frozen_for == ["NO_PLAN"]
        assert (block.remaining, block.clock_stopped_at) == (300, None)
        assert wallet_of(account).frozen == 300

    def test_forfeits_what_was_bought_if_that_is_set(
        self, plans, account, subscription, settings
    ):
        settings.FORFEIT_BLOCKS = True
        bought = buy_blocks(plans, account)
        cancel(plans, subscription)

        plans.travel(APRIL + HOUR)

        bought.refresh_from_db()
        assert (bought.remaining, bought.frozen_for) == (0, [])
        assert "1,800 credits" in Notice.objects.filter(kind="plan_ended").first().text
        assert audits.verify() == []

    def test_is_told_with_what_became_of_the_credits(
        self, plans, account, subscription
    ):
        buy_blocks(plans, account)
        ledger.spend(job(wallet_of(account), 88), at=plans.at)
        cancel(plans, subscription)

        plans.travel(APRIL + HOUR)

        notice = Notice.objects.filter(kind="plan_ended").first()
        assert notice.subject == "Business of Northwind Studio has ended"
        assert "1,412 credits of the plan were unused" in notice.text
        assert "300 credits that you bought are kept" in notice.text

    def test_lets_running_jobs_be_charged(self, plans, account, subscription):
        """R61: what a job holds outlives the plan."""
        cancel(plans, subscription)
        wallet, shortly_before = wallet_of(account), APRIL - HOUR
        held = ledger.hold(
            wallet_id=wallet.pk,
            credits=40,
            rate_version=1,
            idempotency_key="job",
            actor="test",
            at=shortly_before,
        )
        plans.travel(APRIL + HOUR)

        ledger.capture(
            hold_id=held.hold_id,
            lines=(ledger.UsedLine("look", 30, 1, 30),),
            idempotency_key="done",
            actor="test",
            at=plans.at,
        )

        # And what it did not need ends at once.
        assert (wallet_of(account).balance, wallet_of(account).held) == (0, 0)
        assert audits.verify() == []

    def test_of_a_year_forfeits_all_months_and_lets_no_more_come(self, plans, account):
        subscription = plans.subscribe(account, "creator", Interval.YEAR)
        plans.travel(NOW + 40 * DAY)
        assert available(account) == 1_200

        stripe_id = subscription.stripe_subscription_id
        plans.wire.client().v1.subscriptions.cancel(stripe_id)
        plans.hear()

        assert available(account) == 0
        assert Cycle.objects.count() == 2
        plans.travel(NOW + 100 * DAY)
        assert (available(account), CreditGrant.objects.count()) == (0, 2)

    def test_is_heard_of_without_a_webhook(self, plans, account, subscription):
        cancel(plans, subscription)
        plans.wire.at(APRIL + DAY)
        plans.news()

        due = chasing.due_subscriptions(limit=10, at=APRIL + DAY)
        chasing.look_after_subscription(subscription_id=due[0], at=APRIL + DAY)

        subscription.refresh_from_db()
        assert (due, subscription.ended_at) == ([subscription.pk], APRIL)


class TestBuyingAtTheEnd:
    def test_is_refused_once_the_day_has_come(self, plans, account, subscription):
        cancel(plans, subscription)
        subscription.refresh_from_db()

        assert purchasing.why_not(subscription, at=APRIL - MOMENT) is None
        assert purchasing.why_not(subscription, at=APRIL).rule == "R107"

    def test_what_is_paid_too_late_is_returned(self, plans, account, subscription):
        cancel(plans, subscription)
        purchase = buy(account, make_member(account, Role.OWNER), at=plans.at)
        plans.wire.pay(purchase.stripe_session_id)

        settlement = settling.settle(session_id=purchase.stripe_session_id, at=APRIL)

        assert settlement == settling.Settlement.REFUNDING


class TestResubscribing:
    def test_brings_blocks_back_but_not_plan_credits(
        self, plans, account, subscription
    ):
        block = buy_blocks(plans, account)
        cancel(plans, subscription)
        plans.travel(APRIL + 5 * DAY)

        again = plans.subscribe(account, "creator")

        block.refresh_from_db()
        assert (block.frozen_for, block.remaining) == ([], 300)
        assert available(account) == 600 + 300
        # R60: counted from the new beginning.
        assert again.anchor_at == APRIL + 5 * DAY
        assert audits.verify() == []

    def test_lets_the_news_come_in_the_wrong_order(self, plans, account, subscription):
        cancel(plans, subscription)
        plans.at = APRIL + HOUR
        plans.wire.at(plans.at)
        ended = plans.news()
        plans.subscribe(account, "creator")
        assert Subscription.objects.count() == 1

        for event in ended:
            plans.receive(event)
        plans.at += HOUR
        plans.work_off()

        assert Subscription.objects.filter(ended_at=None).get().plan_version_id
        assert available(account) == 600
        assert audits.verify() == []


class TestOpenBills:
    def test_of_an_ended_plan_are_voided(self, plans, account, subscription):
        plans.let_cards_fail(subscription)
        plans.travel(APRIL + 20 * DAY, has_beat=False)
        subscription.refresh_from_db()
        bill = Invoice.objects.latest("pk")
        assert (bool(subscription.ended_at), bill.status) == (True, "OPEN")

        plans.beat()

        bill.refresh_from_db()
        subscription.refresh_from_db()
        assert (bill.status, subscription.next_check_at) == ("VOID", None)

    def test_that_is_paid_all_the_same_is_given_back(
        self, plans, account, subscription
    ):
        plans.let_cards_fail(subscription)
        plans.travel(APRIL + 20 * DAY, has_beat=False)
        bill = Invoice.objects.latest("pk")

        plans.wire.pay_invoice(bill.stripe_invoice_id)
        plans.hear()
        [due] = refunding.due_refunds(limit=9, at=plans.at)
        refunding.look_after(refund_id=due, at=plans.at)

        refund = Refund.objects.get()
        assert (refund.invoice, refund.amount_cents) == (bill, 14_900)
        assert plans.wire.charges()[-1]["amount_refunded"] == 14_900
        assert available(account) == 0
        assert AuditEvent.objects.filter(action="invoice.paid_too_late").exists()
        assert audits.verify() == []


class TestPausedCollection:
    """R66: nobody is offered a pause, but Stripe's dashboard has one.

    It makes the bills of its months void, and leaves the subscription active.
    """

    @pytest.fixture(autouse=True)
    def _paused(self, plans, subscription):
        plans.let_cards_fail(subscription)
        plans.travel(APRIL + 2 * HOUR)
        bill = Invoice.objects.latest("pk")
        plans.wire.client().v1.invoices.void_invoice(bill.stripe_invoice_id)
        plans.hear()
        subscription.refresh_from_db()

    def test_brings_no_credits_for_a_bill_that_is_void(self, plans, subscription):
        assert subscription.status == "ACTIVE"  # as Stripe goes on saying
        assert CreditGrant.objects.count() == 1
        assert subscribing.standing(subscription, at=plans.at) == Standing.RENEWING

    def test_ends_spending_when_grace_is_over(self, plans, account, subscription):
        later = APRIL + 7 * DAY

        assert subscribing.standing(subscription, at=later) == Standing.BLOCKED
        assert wallet_of(account).block_at(later) == SpendingBlock.PAYMENT_OVERDUE

    def test_goes_on_with_the_next_bill_that_is_paid(
        self, plans, account, subscription
    ):
        method = plans.wire.client().v1.payment_methods.attach(
            "pm_card_visa", {"customer": customer_of(subscription)}
        )
        plans.update(subscription, default_payment_method=method.id)

        plans.travel(MAY + 2 * HOUR)

        subscription.refresh_from_db()
        assert subscribing.standing(subscription, at=plans.at) == Standing.ACTIVE
        assert available(account) == 1_500


def customer_of(subscription) -> str:
    stripe_id = subscription.stripe_subscription_id
    return stripe_gateway.subscription(stripe_id).customer_id
