"""What was paid is granted once; what could not be granted is returned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import AuditEvent, Notice
from billing import stripe_gateway
from billing.models import Purchase, PurchaseState
from billing.purchases import notices as purchase_notices
from billing.purchases import settling
from billing.purchases.settling import Settlement
from billing.refunds import refunding
from credits import audits, ledger
from credits.models import CreditGrant, GrantSource
from tests.billing.conftest import available, buy
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=2)


def settle(purchase: Purchase, at=LATER) -> Settlement:
    settlement = settling.settle(session_id=purchase.stripe_session_id, at=at)
    purchase.refresh_from_db()
    return settlement


def give_back(purchase: Purchase, at=LATER) -> None:
    """Do what the sweeper does with the refunds that are due."""
    for refund_id in refunding.due_refunds(limit=10, at=at):
        refunding.look_after(refund_id=refund_id, at=at)
    purchase.refresh_from_db()


def end_plan(account) -> None:
    account.subscriptions.update(status="CANCELED", ended_at=LATER)


class TestSettle:
    def test_adds_what_was_paid(self, wire, business, alice):
        purchase = buy(business, alice, blocks=3)
        wire.pay(purchase.stripe_session_id)

        assert settle(purchase) == Settlement.GRANTED
        assert available(business) == 1_800
        assert (purchase.state, purchase.blocks_paid) == (PurchaseState.PAID, 3)
        assert (purchase.paid_cents, purchase.next_check_at) == (1_500, None)

    def test_a_number_changed_on_the_checkout_page_counts(self, wire, business, alice):
        purchase = buy(business, alice, blocks=3)
        wire.pay(purchase.stripe_session_id, quantity=7)

        settle(purchase)

        assert available(business) == 1_500 + 700
        assert (purchase.blocks_asked, purchase.blocks_paid) == (3, 7)
        assert purchase.paid_cents == 3_500

    def test_the_credits_cost_what_was_paid_and_live_for_twelve_months(
        self, wire, business, alice
    ):
        purchase = buy(business, alice, blocks=3)
        wire.pay(purchase.stripe_session_id)

        settle(purchase)

        grant = CreditGrant.objects.get(source=GrantSource.PURCHASE)
        assert grant.source_key == f"purchase:{purchase.pk}"
        assert (grant.granted, grant.cost_basis_cents) == (300, 1_500)
        assert grant.effective_at == NOW
        assert grant.expires_at == datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
        assert purchase.credits_expire_at == grant.expires_at

    def test_twelve_months_from_a_leap_day_end_on_the_28th(self, wire, business, alice):
        leap_day = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
        wire.at(leap_day)
        purchase = buy(business, alice, at=leap_day)
        wire.pay(purchase.stripe_session_id)

        settle(purchase, at=leap_day)

        assert purchase.credits_expire_at == datetime(2029, 2, 28, 12, tzinfo=UTC)

    def test_a_second_look_reads(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)

        assert [settle(purchase) for _ in range(3)] == [
            Settlement.GRANTED,
            Settlement.SETTLED_BEFORE,
            Settlement.SETTLED_BEFORE,
        ]
        assert available(business) == 1_800
        assert AuditEvent.objects.filter(action="purchase.paid").count() == 1

    def test_waits_while_nothing_is_paid(self, wire, business, alice):
        purchase = buy(business, alice)

        assert settle(purchase) == Settlement.WAITING
        assert available(business) == 1_500

    def test_a_declined_card_leaves_the_balance_and_may_be_tried_again(
        self, wire, business, alice
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id, card="4000000000000002")

        assert settle(purchase) == Settlement.WAITING
        assert available(business) == 1_500

        wire.pay(purchase.stripe_session_id)
        assert settle(purchase) == Settlement.GRANTED

    def test_an_expired_page_closes_the_purchase(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.at(NOW + timedelta(hours=2))

        assert settle(purchase, at=NOW + timedelta(hours=2)) == Settlement.NOT_COMPLETED
        assert purchase.state == PurchaseState.EXPIRED
        assert purchase.next_check_at is None

    def test_what_was_paid_is_granted_although_it_was_given_up(
        self, wire, business, alice
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        Purchase.objects.update(state=PurchaseState.EXPIRED, next_check_at=None)

        assert settle(purchase) == Settlement.GRANTED

    def test_finds_a_purchase_whose_page_was_not_recorded(self, wire, business, alice):
        purchase = buy(business, alice)
        session_id = purchase.stripe_session_id
        wire.pay(session_id)
        Purchase.objects.update(stripe_session_id=None, checkout_url="")

        assert settling.settle(session_id=session_id, at=LATER) == Settlement.GRANTED
        purchase.refresh_from_db()
        assert purchase.stripe_session_id == session_id

    def test_sends_a_receipt_once(self, wire, business, alice):
        purchase = buy(business, alice, blocks=3)
        wire.pay(purchase.stripe_session_id)

        settle(purchase)
        settle(purchase)

        [receipt] = Notice.objects.filter(kind="receipt")
        assert receipt.recipient == "alice@example.com"
        assert receipt.subject == "Receipt: 300 credits for Northwind Studio"
        assert "alice@example.com paid $15.00 on 10 Mar 2026, 12:00 UTC" in receipt.text
        assert "Usable until: 10 Mar 2027" in receipt.text
        assert f"/purchases/{purchase.public_id}/" in receipt.text
        assert purchase.receipt_url in receipt.html

    def test_the_books_are_right_afterwards(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id, quantity=200)

        settle(purchase)

        assert audits.verify() == []

    def test_leaves_nothing_behind_when_its_last_step_fails(
        self, wire, business, alice, monkeypatch
    ):
        def fall_over(*_, **__):
            raise RuntimeError

        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        monkeypatch.setattr(purchase_notices, "write_notice", fall_over)

        with pytest.raises(RuntimeError):
            settling.settle(session_id=purchase.stripe_session_id, at=LATER)

        purchase.refresh_from_db()
        assert purchase.state == PurchaseState.OPEN
        assert available(business) == 1_500


class TestNotOurs:
    def paid_session(self, wire, **metadata) -> str:
        sessions = wire.client().v1.checkout.sessions
        price = wire.client().v1.prices.list().data[0]
        session = sessions.create(
            {
                "mode": "payment",
                "line_items": [{"price": price.id, "quantity": 1}],
                "success_url": "https://shop.example/",
                "metadata": metadata,
            }
        )
        wire.pay(session.id)
        return session.id

    @pytest.mark.parametrize("metadata", [{}, {"purchase": "pur_of_somebody_else"}])
    def test_leaves_other_pages_of_the_same_stripe_account_alone(self, wire, metadata):
        session_id = self.paid_session(wire, **metadata)

        settlement = settling.settle(session_id=session_id, at=LATER)

        assert settlement == Settlement.NOT_OURS
        assert not CreditGrant.objects.exists()

    @pytest.mark.parametrize(
        "difference",
        [
            {"currency": "eur"},
            {"subtotal_cents": 1_499},
            {"quantities": (("purser_block_v1", 4),)},
            {"quantities": (("something_else", 3),)},
            {"quantities": (("purser_block_v1", 3), ("purser_block_v1", 1))},
            {"quantities": ()},
        ],
    )
    def test_grants_nothing_that_was_not_paid_as_offered(
        self, wire, business, alice, difference
    ):
        purchase = buy(business, alice, blocks=3)
        wire.pay(purchase.stripe_session_id)
        session = stripe_gateway.checkout_session(purchase.stripe_session_id)

        settlement = settling.settle_as(replace(session, **difference), at=LATER)

        assert settlement == Settlement.NOT_AS_OFFERED
        assert available(business) == 1_500


class TestPlanEndedInBetween:
    def test_nothing_is_added_and_the_money_goes_back(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        end_plan(business)

        assert settle(purchase) == Settlement.REFUNDING
        assert not CreditGrant.objects.filter(source=GrantSource.PURCHASE).exists()

        give_back(purchase)
        assert purchase.state == PurchaseState.REFUNDED
        [charge] = wire.charges()
        assert (charge["amount_refunded"], charge["refunded"]) == (1_500, True)

    def test_the_buyer_is_told_why(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        end_plan(business)
        settle(purchase)

        give_back(purchase)

        [notice] = Notice.objects.filter(kind="refund_made")
        assert notice.subject == "$15.00 returned to Northwind Studio"
        assert "The plan ended before the payment arrived" in notice.text

    @pytest.mark.parametrize(
        ("kind", "times"), [("500", 1), ("429", 1), ("timeout_after_commit", 3)]
    )
    def test_a_refund_that_was_not_heard_of_is_made_once(
        self, wire, business, alice, kind, times
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        end_plan(business)
        settle(purchase)
        wire.fail_next(kind, on="POST /v1/refunds", times=times)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            give_back(purchase)

        give_back(purchase, at=LATER + timedelta(hours=1))

        assert purchase.state == PurchaseState.REFUNDED
        assert len(wire.client().v1.refunds.list().data) == 1

    def test_a_refund_made_in_stripes_dashboard_is_taken_over(
        self, wire, business, alice
    ):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        end_plan(business)
        settle(purchase)
        by_hand = wire.client().v1.refunds.create(
            {"payment_intent": purchase.stripe_payment_intent_id}
        )

        give_back(purchase)

        [refund] = purchase.refunds.all()
        assert (refund.stripe_refund_id, refund.state) == (by_hand.id, "DONE")
        assert purchase.state == PurchaseState.REFUNDED

    def test_an_overdue_plan_has_not_ended(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        business.subscriptions.update(status="PAST_DUE")

        assert settle(purchase) == Settlement.GRANTED


class TestAudits:
    def test_name_a_paid_purchase_without_its_grant(self, wire, business, alice):
        purchase = buy(business, alice, blocks=3)
        Purchase.objects.update(
            state=PurchaseState.PAID,
            paid_at=NOW,
            blocks_paid=3,
            paid_cents=1_500,
            stripe_payment_intent_id="pi_1",
        )

        [finding] = audits.verify()

        assert finding.check == "I5 each paid purchase has its one grant"
        assert finding.text == (
            f"purchase {purchase.public_id} is paid for 300 credits, its grant has 0"
        )

    def test_name_a_purchased_grant_that_nobody_paid_for(self, business):
        grant_of_a_purchase(business, effective_at=NOW)

        [finding] = audits.verify()

        assert finding.check == "I5 each purchased grant was paid for"

    def test_name_a_grant_from_a_time_without_a_plan_that_sells_blocks(self, business):
        grant_of_a_purchase(business, effective_at=NOW - timedelta(days=1))

        checks = {finding.check for finding in audits.verify()}

        assert "I10 blocks are granted only on plans that sell them" in checks


def grant_of_a_purchase(account, *, effective_at) -> None:
    ledger.grant(
        wallet_id=ledger.open_wallet(account_id=account.pk, at=NOW),
        source=GrantSource.PURCHASE,
        source_key="purchase:0",
        credits=100,
        cost_basis_cents=500,
        effective_at=effective_at,
        expires_at=None,
        actor="test",
        at=NOW,
    )
