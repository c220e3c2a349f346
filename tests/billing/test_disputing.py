"""What a bank says against a payment, done to the credits that were paid for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Notice
from billing import making_good
from billing.disputes import disputing
from billing.models import (
    DebtPayment,
    DebtPaymentState,
    Dispute,
    DisputeEffect,
    DisputeStatus,
    Invoice,
    Purchase,
    WebhookSubject,
)
from billing.purchases import settling
from billing.stripe_gateway import StripeDispute
from billing.subscriptions import chasing
from billing.webhooks import inbox
from credits import audits, ledger, statements
from credits.models import CreditGrant, Wallet
from tests.billing import batches as batches_
from tests.billing.bank import Bank
from tests.billing.conftest import available, buy
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import job, make_account

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = NOW + timedelta(minutes=2)


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def bank(plans) -> Bank:
    return Bank(plans)


@pytest.fixture
def bought(plans, business, alice) -> Purchase:
    """300 credits for $15.00."""
    purchase = buy(business, alice, blocks=3)
    plans.wire.pay(purchase.stripe_session_id)
    settling.settle(session_id=purchase.stripe_session_id, at=NOW)
    plans.hear()
    return purchase


@pytest.fixture(autouse=True)
def _proven():
    """Whatever happened, the books are right."""
    yield
    assert audits.verify() == []


def grant_of(purchase: Purchase) -> CreditGrant:
    return CreditGrant.objects.get(source_key=purchase.source_key)


def spend_from_it(account, credits: int) -> None:
    """Use up the month's 1,500 credits, and so many of those that were bought."""
    wallet = Wallet.objects.get(account=account)
    ledger.spend(job(wallet, 1_500 + credits), at=NOW)


def the_dispute() -> Dispute:
    return Dispute.objects.get()


class TestOpened:
    def test_freezes_what_is_left_of_the_grant(self, bank, business, bought):
        spend_from_it(business, 100)

        bank.dispute(bought)

        dispute = the_dispute()
        assert (dispute.effect, dispute.frozen_credits) == (DisputeEffect.FROZEN, 200)
        assert available(business) == 0
        assert grant_of(bought).frozen_for == ["DISPUTE"]

    def test_leaves_other_credits_usable(self, bank, business, bought):
        bank.dispute(bought)

        assert available(business) == 1_500

    def test_tells_owners_once(self, bank, plans, bought):
        bank.dispute(bought)
        plans.hear()

        [notice] = Notice.objects.filter(kind="dispute_opened")
        assert notice.recipient == "alice@example.com"
        assert notice.subject == ("A payment of Northwind Studio is disputed: $15.00")
        assert "300 credits of that payment are frozen" in notice.text

    def test_says_so_on_the_statement(self, bank, business, bought):
        bank.dispute(bought)

        wallet = Wallet.objects.get(account=business)
        row = statements.statement_for(wallet.pk, at=NOW).rows[0]
        assert row.description == "Frozen"
        assert row.reason == "The payment for these credits is disputed."

    def test_what_a_job_holds_is_left_to_it(self, bank, business, bought):
        wallet = Wallet.objects.get(account=business)
        ledger.hold(
            wallet_id=wallet.pk,
            credits=1_600,
            rate_version=1,
            idempotency_key="h",
            actor="test",
            at=NOW,
        )

        bank.dispute(bought)

        assert the_dispute().frozen_credits == 200


class TestInquiry:
    def test_moves_nothing_and_tells(self, bank, business, bought):
        bank.dispute(bought, "inquiry")

        assert the_dispute().effect == DisputeEffect.NONE
        assert available(business) == 1_800
        assert Notice.objects.filter(kind="dispute_inquiry").count() == 1

    def test_that_ends_moves_nothing(self, bank, business, bought):
        bank.dispute(bought, "inquiry")
        bank.decide("lose")

        assert the_dispute().status == DisputeStatus.WARNING_CLOSED
        assert available(business) == 1_800

    def test_that_is_escalated_freezes_then(self, bank, business, bought):
        bank.dispute(bought, "inquiry")
        bank.decide("escalate")

        assert available(business) == 1_500
        assert Notice.objects.filter(kind="dispute_opened").count() == 1


class TestWon:
    def test_gives_back_with_the_expiry_moved(self, bank, plans, business, bought):
        before = grant_of(bought).expires_at
        bank.dispute(bought)
        plans.travel(NOW + 3 * DAY)

        bank.decide("win")

        assert the_dispute().effect == DisputeEffect.RESTORED
        assert available(business) == 1_800
        assert grant_of(bought).expires_at == before + 3 * DAY

    def test_first_heard_of_when_over_moves_nothing(self, plans, business, bought):
        bank = Bank(plans, hears=False)
        opened = bank.dispute(bought)
        bank.decide("win", opened)

        plans.hear()

        assert the_dispute().effect == DisputeEffect.NONE
        assert available(business) == 1_800


class TestLost:
    def test_takes_what_is_left_and_records_what_was_used(self, bank, business, bought):
        spend_from_it(business, 100)
        bank.dispute(bought)

        bank.decide("lose")

        dispute, wallet = the_dispute(), Wallet.objects.get(account=business)
        assert (dispute.removed_credits, dispute.debt_credits) == (200, 100)
        assert dispute.debt_cents == 500
        assert (wallet.balance, wallet.frozen, wallet.debt) == (0, 0, 100)
        assert grant_of(bought).voided_at is not None

    def test_first_heard_of_when_over_takes_the_same(self, plans, business, bought):
        spend_from_it(business, 100)
        bank = Bank(plans, hears=False)
        bank.decide("lose", bank.dispute(bought))

        plans.hear()

        dispute, wallet = the_dispute(), Wallet.objects.get(account=business)
        assert (dispute.removed_credits, dispute.debt_credits) == (200, 100)
        assert (wallet.balance, wallet.debt) == (0, 100)

    @pytest.mark.parametrize(
        ("is_used", "taken"), [(True, (200, 100)), (False, (300, 0))]
    )
    def test_what_a_job_held_follows_once_it_settles(
        self, bank, plans, business, bought, is_used, taken
    ):
        wallet = Wallet.objects.get(account=business)
        held = ledger.hold(
            wallet_id=wallet.pk,
            credits=1_600,
            rate_version=1,
            idempotency_key="h",
            actor="test",
            at=NOW,
        )
        bank.dispute(bought)
        bank.decide("lose")
        assert the_dispute().removed_credits == 200

        settle = {"hold_id": held.hold_id, "idempotency_key": "s", "actor": "t"}
        if is_used:
            line = ledger.UsedLine("look", 1_600, 1, 1_600)
            ledger.capture(**settle, lines=(line,), at=NOW)
        else:
            ledger.release(**settle, is_our_failure=False, at=NOW)
        look_after(plans, NOW + timedelta(hours=2))

        dispute = the_dispute()
        assert (dispute.removed_credits, dispute.debt_credits) == taken
        assert dispute.next_check_at is None
        wallet.refresh_from_db()
        assert wallet.available == (0 if is_used else 1_500)

    def test_of_a_part_takes_its_share_and_gives_the_rest_back(
        self, bank, business, bought
    ):
        bank.dispute(bought, cents=499)
        bank.decide("lose")

        assert the_dispute().removed_credits == 99
        assert available(business) == 1_500 + 201


class TestGivenBackAfterwards:
    """Staff make good a job that used credits which a bank has taken since."""

    def test_is_taken_and_owed_no_longer(self, bank, plans, business, bought):
        spend_from_it(business, 100)
        bank.dispute(bought)
        bank.decide("lose")

        make_good(LATER)
        look_after(plans, LATER)

        dispute, wallet = the_dispute(), Wallet.objects.get(account=business)
        assert (dispute.removed_credits, dispute.debt_credits) == (300, 0)
        assert dispute.debt_cents == 0
        assert (wallet.balance, wallet.frozen, wallet.debt) == (1_500, 0, 0)

    def test_is_usable_by_whoever_has_paid_the_debt(
        self, bank, plans, business, bought
    ):
        spend_from_it(business, 100)
        bank.dispute(bought)
        bank.decide("lose")
        pay_what_is_owed(business)

        make_good(LATER)
        look_after(plans, LATER)

        dispute = the_dispute()
        assert (dispute.removed_credits, dispute.debt_credits) == (200, 100)
        assert available(business) == 1_500 + 100

    def test_of_a_plan_that_was_disputed_is_taken_too(self, bank, plans):
        account = make_account()
        plans.subscribe(account, "business")
        ledger.spend(job(Wallet.objects.get(account=account), 1_400), at=NOW)
        bank.dispute(Invoice.objects.get())
        bank.decide("lose")

        make_good(LATER)
        look_after(plans, LATER)

        wallet = Wallet.objects.get(account=account)
        assert the_dispute().removed_credits == 1_500
        assert (wallet.balance, wallet.frozen, wallet.debt) == (0, 0, 0)

    @pytest.mark.parametrize("is_used", [True, False])
    def test_while_a_job_still_holds_the_rest(
        self, bank, plans, business, bought, is_used
    ):
        spend_from_it(business, 100)
        held = hold(business, 100)
        bank.dispute(bought)
        bank.decide("lose")
        make_good(LATER)
        look_after(plans, LATER)

        settle(held, is_used=is_used, at=LATER)
        look_after(plans, LATER + timedelta(hours=2))

        dispute, wallet = the_dispute(), Wallet.objects.get(account=business)
        owed = 100 if is_used else 0
        assert (dispute.removed_credits, dispute.debt_credits) == (300 - owed, owed)
        assert (wallet.balance, wallet.frozen, wallet.debt) == (1_500, 0, owed)


def make_good(at) -> None:
    """Give back all that jobs used, agreed to by two, as far as it goes."""
    batches_.approved(batches_.made_good(batches_.incident(), by=batches_.staff()))
    making_good.give_back(limit=1_000, at=at)


def pay_what_is_owed(account) -> None:
    wallet = Wallet.objects.get(account=account)
    ledger.clear_debt(
        wallet_id=wallet.pk,
        credits=wallet.debt,
        idempotency_key="paid",
        actor="test",
        reason="Paid in money.",
        at=NOW,
    )


def hold(account, credits: int) -> int:
    return ledger.hold(
        wallet_id=Wallet.objects.get(account=account).pk,
        credits=credits,
        rate_version=1,
        idempotency_key="h",
        actor="test",
        at=NOW,
    ).hold_id


def settle(hold_id: int, *, is_used: bool, at) -> None:
    by = {"hold_id": hold_id, "idempotency_key": "s", "actor": "test", "at": at}
    if is_used:
        ledger.capture(lines=(ledger.UsedLine("look", 100, 1, 100),), **by)
    else:
        ledger.release(is_our_failure=False, **by)


def look_after(plans: Plans, at) -> None:
    for dispute_id in chasing.due_disputes(limit=9, at=at):
        chasing.look_after_dispute(dispute_id=dispute_id, at=at)


class TestPaidDebt:
    def test_lost_is_owed_again(self, business, alice):
        debt = DebtPayment.objects.create(
            account=business,
            payer=alice,
            state=DebtPaymentState.PAID,
            credits=100,
            cents=500,
            currency="usd",
            stripe_payment_intent_id="pi_debt",
            opened_at=NOW,
            paid_at=NOW,
        )
        lost = StripeDispute(
            id="dp_debt",
            status="lost",
            reason="fraudulent",
            payment_intent_id="pi_debt",
            amount_cents=500,
            currency="usd",
            opened_at=NOW,
            evidence_due_at=None,
        )

        disputing.apply_dispute(lost, at=NOW)

        assert the_dispute().debt_payment == debt
        assert Wallet.objects.get(account=business).debt == 100
        assert the_dispute().debt_cents == 500


class TestUnknownPayment:
    def test_waits_in_the_inbox_until_it_is_settled(self, bank, plans, business, alice):
        purchase = buy(business, alice, blocks=3)
        plans.wire.pay(purchase.stripe_session_id)
        [event] = plans.wire.events("checkout.session.completed")
        plans.news()
        purchase.intent_id = event["data"]["object"]["payment_intent"]

        bank.dispute(purchase)
        [subject] = WebhookSubject.objects.all()
        assert "UnknownPayment" in subject.last_error

        settling.settle(session_id=purchase.stripe_session_id, at=NOW)
        inbox.look_at(subject.pk, at=NOW + DAY)
        assert the_dispute().effect == DisputeEffect.FROZEN
