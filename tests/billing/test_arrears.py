"""A renewal that is not paid: renewing, overdue, paid late, and given up."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from billing.models import Invoice, Subscription
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from credits import audits, ledger
from credits.models import CreditGrant, SpendingBlock, Wallet
from tests.billing.conftest import available
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import job, make_account

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
    """Creator since NOW: 600 credits."""
    return plans.subscribe(account, "creator")


@pytest.fixture
def overdue(plans, subscription) -> Subscription:
    """The card failed when April's cycle was charged."""
    plans.let_cards_fail(subscription)
    plans.travel(APRIL + 2 * HOUR)
    subscription.refresh_from_db()
    return subscription


def wallet_of(account) -> Wallet:
    return Wallet.objects.get(account=account)


def standing(account, at) -> Standing:
    return subscribing.standing(subscribing.live_subscription(account.pk), at=at)


class TestRenewing:
    def test_is_what_lies_between_two_cycles(self, plans, account, subscription):
        """R5: the bill is a draft for an hour."""
        assert standing(account, APRIL - MOMENT) == Standing.ACTIVE
        plans.travel(APRIL + HOUR / 2)
        assert standing(account, plans.at) == Standing.RENEWING

        plans.travel(APRIL + HOUR)

        assert standing(account, plans.at) == Standing.ACTIVE

    def test_lets_the_credits_of_the_last_cycle_be_used(
        self, plans, account, subscription
    ):
        plans.travel(APRIL + HOUR / 2)

        spent = ledger.spend(job(wallet_of(account), 100), at=plans.at)

        assert spent.available == 500


class TestOverdue:
    def test_brings_no_new_credits(self, account, overdue):
        assert overdue.status == "PAST_DUE"
        assert CreditGrant.objects.count() == 1

    def test_leaves_what_there_is_usable_in_grace(self, account, overdue):
        assert standing(account, APRIL + 7 * DAY - MOMENT) == Standing.OVERDUE

        spent = ledger.spend(job(wallet_of(account), 1), at=APRIL + 7 * DAY - MOMENT)

        assert spent.available == 599

    def test_blocks_spending_when_grace_is_over_though_nobody_has_said_so(
        self, account, overdue
    ):
        after = APRIL + 7 * DAY

        with pytest.raises(ledger.SpendingBlocked) as refusal:
            ledger.spend(job(wallet_of(account), 1), at=after)

        assert refusal.value.block == SpendingBlock.PAYMENT_OVERDUE
        assert wallet_of(account).block_at(after) == SpendingBlock.PAYMENT_OVERDUE
        assert standing(account, after) == Standing.BLOCKED

    def test_is_told_once_with_the_page_that_pays(self, plans, account, overdue):
        plans.travel(APRIL + 4 * DAY)  # Stripe has tried again by then

        [notice] = Notice.objects.filter(kind="plan_overdue")
        bill = plans.wire.sandbox.store.find("invoice")[-1]
        assert bill["hosted_invoice_url"] in notice.text
        assert "$29.00" in notice.text
        assert "17 Apr 2026" in notice.text

    def test_lets_credits_reach_their_own_end(self, plans, account, overdue):
        ledger.expire_wallet(wallet_id=wallet_of(account).pk, at=MAY)

        assert available(account) == 0


class TestPaidLate:
    def test_grants_for_the_original_dates(self, plans, account, overdue):
        plans.travel(APRIL + 9 * DAY)

        plans.wire.pay_invoice(latest_bill().stripe_invoice_id)
        plans.hear()

        grant = CreditGrant.objects.latest("pk")
        assert (grant.effective_at, grant.expires_at) == (APRIL, JUNE)
        assert available(account) == 1_200
        assert standing(account, plans.at) == Standing.ACTIVE
        assert audits.verify() == []

    def test_lets_spending_go_on(self, plans, account, overdue):
        plans.travel(APRIL + 9 * DAY)
        plans.wire.pay_invoice(latest_bill().stripe_invoice_id)
        plans.hear()

        spent = ledger.spend(job(wallet_of(account), 700), at=plans.at)

        assert spent.available == 500

    def test_is_told_as_good_news(self, plans, account, overdue):
        plans.wire.pay_invoice(latest_bill().stripe_invoice_id)
        plans.hear()

        kinds = Notice.objects.order_by("pk").values_list("kind", flat=True)
        assert [*kinds] == ["plan_paid", "plan_overdue", "plan_recovered"]


class TestGivenUp:
    def test_ends_the_plan_as_a_cancellation_does(self, plans, account, overdue):
        plans.travel(APRIL + 20 * DAY)

        overdue.refresh_from_db()
        wallet = wallet_of(account)
        assert overdue.status == "CANCELED"
        assert (wallet.balance, wallet.spending_block) == (0, "NO_PAID_PLAN")
        assert Notice.objects.filter(kind="plan_ended").exists()
        assert audits.verify() == []


def latest_bill() -> Invoice:
    return Invoice.objects.latest("created_at")
