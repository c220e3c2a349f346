"""What is owed is paid once, whoever hears of it first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Notice
from billing.models import DebtPaymentState
from billing.refunds import debts, paying_debts, refunding
from billing.refunds.refunding import Extent
from credits import audits, ledger
from tests.billing.refunds import (
    FAILING_REFUNDS,
    LATER,
    at_stripe,
    bought,
    hear,
    refund,
    use,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owing(wire, business, alice):
    """Business, after 70 of 100 bought credits were used and all was refunded."""
    purchase = bought(wire, business, alice)
    use(business, 1_500)
    use(business, 70)
    refund(purchase, Extent.ALL)
    return business


class TestOwed:
    def test_costs_what_was_paid_for_it(self, owing):
        owed = debts.owed_by(owing.pk)

        assert (owed.credits, owed.cents) == (70, 350)
        assert [cause.credits for cause in owed.causes] == [70]

    def test_is_paid_by_bought_credits_first(self, wire, owing, alice):
        bought(wire, owing, alice)

        assert debts.owed_by(owing.pk) is None
        assert wallet_of(owing).available == 30


class TestPay:
    def test_ends_the_debt_once_it_is_paid(self, wire, owing, alice):
        payment = paying_debts.pay(account=owing, payer=alice, at=LATER)
        wire.pay(payment.stripe_session_id)

        hear(wire)

        payment.refresh_from_db()
        assert (payment.state, payment.cents) == (DebtPaymentState.PAID, 350)
        assert wallet_of(owing).debt == 0
        assert Notice.objects.filter(kind="debt_paid").exists()
        assert audits.verify() == []

    def test_is_settled_once_by_whoever_comes_first(self, wire, owing, alice):
        payment = paying_debts.pay(account=owing, payer=alice, at=LATER)
        wire.pay(payment.stripe_session_id)
        paying_debts.settle(payment, at=LATER)
        paying_debts.look_after(payment_id=payment.pk, at=LATER)

        hear(wire)

        assert (wallet_of(owing).debt, wallet_of(owing).available) == (0, 0)

    def test_twice_is_the_same_page(self, wire, owing, alice):
        first = paying_debts.pay(account=owing, payer=alice, at=LATER)

        second = paying_debts.pay(account=owing, payer=alice, at=LATER)

        assert second == first

    def test_for_another_amount_closes_the_first_page(self, wire, owing, alice):
        first = paying_debts.pay(account=owing, payer=alice, at=LATER)
        ledger.clear_debt(
            wallet_id=wallet_of(owing).pk,
            credits=20,
            idempotency_key="written-off",
            actor="test",
            reason="",
            at=LATER,
        )

        second = paying_debts.pay(account=owing, payer=alice, at=LATER)

        first.refresh_from_db()
        assert first.state == DebtPaymentState.EXPIRED
        assert (second.credits, second.cents) == (50, 250)

    def test_gives_credits_for_what_was_owed_no_longer(self, wire, owing, alice):
        payment = paying_debts.pay(account=owing, payer=alice, at=LATER)
        bought(wire, owing, alice)  # pays the debt with 70 of its 100
        wire.pay(payment.stripe_session_id)

        hear(wire)

        assert wallet_of(owing).available == 30 + 70
        assert audits.verify() == []

    def test_needs_a_debt(self, business, alice, wire):
        with pytest.raises(paying_debts.NothingOwed):
            paying_debts.pay(account=business, payer=alice, at=LATER)

    def test_refunded_is_owed_again(self, wire, owing, alice):
        payment = paying_debts.pay(account=owing, payer=alice, at=LATER)
        wire.pay(payment.stripe_session_id)
        hear(wire)
        payment.refresh_from_db()
        at_stripe(wire, payment, 350)

        hear(wire)

        assert wallet_of(owing).debt == 70
        assert audits.verify() == []


class TestFailedRefund:
    def test_is_no_longer_a_cause(self, wire, business, alice):
        purchase = bought(wire, business, alice, card=FAILING_REFUNDS)
        use(business, 1_570)
        made = refund(purchase, Extent.ALL)
        later = LATER + timedelta(minutes=10)
        wire.at(later)

        refunding.look_after(refund_id=made.pk, at=later)

        assert debts.owed_by(business.pk) is None
