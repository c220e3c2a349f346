"""A plan whose payment a bank asks back: handled as overdue (R85)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Account, Notice, Role
from billing.finance.reports import journal
from billing.models import Dispute, Interval, Invoice
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from billing.purchases import purchasing
from billing.reconciling import reading
from billing.reconciling.comparing import differences
from credits import audits, ledger
from credits.models import CreditGrant, Wallet
from tests.billing.bank import Bank
from tests.billing.conftest import available
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import job, make_account, make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def bank(plans) -> Bank:
    return Bank(plans)


@pytest.fixture
def account(plans) -> Account:
    account = make_account()
    make_member(account, Role.OWNER)
    return account


@pytest.fixture
def monthly(plans, account):
    """On Business, renewed once: the second month's bill is the last."""
    plans.subscribe(account, "business")
    plans.travel(NOW + 33 * DAY)
    return account.subscriptions.get()


@pytest.fixture(autouse=True)
def _proven():
    """Whatever happened, the books are right."""
    yield
    assert audits.verify() == []


def bill(nth: int) -> Invoice:
    return Invoice.objects.order_by("created_at")[nth]


def standing(account, at) -> Standing:
    return subscribing.standing(subscribing.live_subscription(account.pk), at=at)


class TestDisputedRenewal:
    def test_freezes_that_months_grant_and_no_other(self, bank, account, monthly):
        bank.dispute(bill(1))

        frozen = CreditGrant.objects.get(frozen_for=["DISPUTE"])
        assert frozen.source_key == bill(1).cycles.get().source_key
        assert available(account) == 1_500

    def test_is_overdue_with_grace_from_its_beginning(
        self, bank, plans, account, monthly
    ):
        bank.dispute(bill(1))

        assert standing(account, plans.at) == Standing.OVERDUE
        assert standing(account, plans.at + 7 * DAY) == Standing.BLOCKED
        wallet = Wallet.objects.get(account=account)
        assert wallet.spends_until == Dispute.objects.get().opened_at + 7 * DAY

    def test_stops_spending_once_grace_is_over(self, bank, plans, account, monthly):
        bank.dispute(bill(1))
        wallet = Wallet.objects.get(account=account)
        ledger.spend(job(wallet, 1), at=plans.at + DAY)

        with pytest.raises(ledger.SpendingBlocked):
            ledger.spend(job(wallet, 1), at=plans.at + 7 * DAY)

    def test_tells_owners_what_it_means(self, bank, account, monthly):
        bank.dispute(bill(1))

        notice = Notice.objects.get(kind="dispute_opened")
        assert "the plan, which counts as overdue meanwhile" in notice.text

    def test_sells_no_blocks_meanwhile(self, bank, plans, account, monthly):
        bank.dispute(bill(1))

        live = subscribing.live_subscription(account.pk)
        assert purchasing.why_not(live, at=plans.at).rule == "R42"

    def test_won_is_as_if_nothing_had_been(self, bank, plans, account, monthly):
        bank.dispute(bill(1))
        plans.travel(plans.at + 8 * DAY)
        bank.decide("win")

        assert standing(account, plans.at) == Standing.ACTIVE
        assert available(account) == 3_000
        renewed = CreditGrant.objects.get(source_key=bill(1).cycles.get().source_key)
        assert renewed.expires_at == bill(1).cycles.get().expires_at + 8 * DAY

    def test_lost_stays_blocked_until_a_later_term_is_paid(
        self, bank, plans, account, monthly
    ):
        bank.dispute(bill(1))
        bank.decide("lose")
        assert standing(account, plans.at + 8 * DAY) == Standing.BLOCKED

        plans.travel(NOW + 65 * DAY)

        assert standing(account, plans.at) == Standing.ACTIVE
        assert available(account) == 1_500

    def test_of_an_earlier_term_leaves_the_plan_alone(
        self, bank, plans, account, monthly
    ):
        bank.dispute(bill(0))

        notice = Notice.objects.get(kind="dispute_opened")
        assert "overdue" not in notice.text
        assert standing(account, plans.at) == Standing.ACTIVE
        assert available(account) == 1_500


class TestDisputedYear:
    def test_brings_no_month_while_it_is_open(self, bank, plans, account):
        plans.subscribe(account, "business", Interval.YEAR)
        bank.dispute(bill(0))

        plans.travel(NOW + 40 * DAY)

        assert CreditGrant.objects.count() == 1
        assert available(account) == 0

    @pytest.mark.parametrize("verb", ["", "lose"])
    def test_is_no_break_though_its_months_do_not_come(
        self, bank, plans, account, verb
    ):
        plans.subscribe(account, "business", Interval.YEAR)
        bank.dispute(bill(0))
        if verb:
            bank.decide(verb)

        plans.travel(NOW + 40 * DAY)

        assert differences(reading.read(None), at=plans.at) == []

    def test_lost_costs_what_was_paid_for_its_months_too(self, bank, plans, account):
        plans.subscribe(account, "business", Interval.YEAR)
        bank.dispute(bill(0))

        bank.decide("lose")

        balances = {one.account: one.cents for one in journal.balances(at=NOW + DAY)}
        assert balances["prepaid"] == balances["deferred_revenue"] == 0
        assert balances["dispute_losses"] == 0
        assert balances["receivable"] == 0

    def test_won_brings_the_months_that_waited_with_their_own_dates(
        self, bank, plans, account
    ):
        plans.subscribe(account, "business", Interval.YEAR)
        opened = bank.dispute(bill(0))
        client = plans.wire.client().v1
        client.disputes.update(
            opened, {"evidence": {"uncategorized_text": "winning_evidence"}}
        )
        plans.travel(NOW + 40 * DAY)

        assert [grant.effective_at for grant in CreditGrant.objects.order_by("pk")] == [
            NOW,
            account.subscriptions.get().cycles.get(month=1).starts_at,
        ]
        assert standing(account, plans.at) == Standing.ACTIVE

    def test_lost_brings_no_more_months(self, bank, plans, account):
        plans.subscribe(account, "business", Interval.YEAR)
        bank.dispute(bill(0))
        bank.decide("lose")

        plans.travel(NOW + 40 * DAY)

        assert CreditGrant.objects.count() == 1
        assert Wallet.objects.get(account=account).balance == 0
