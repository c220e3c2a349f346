"""Refunds: the credits go where the money goes, whoever asked for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Notice
from billing import stripe_gateway
from billing.models import PurchaseState, Refund, RefundState
from billing.payments import UnknownPayment
from billing.refunds import refunding, taking_back
from billing.refunds.refunding import Extent, RefundRefused
from credits import audits, ledger
from credits.models import EntryKind, LedgerEntry
from tests.billing.refunds import (
    FAILING_REFUNDS,
    LATER,
    at_stripe,
    bought,
    grant_of,
    hear,
    payment_of,
    refund,
    use,
    wallet_of,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MUCH_LATER = LATER + timedelta(minutes=10)
PLAN_CREDITS = 1_500


def moved(account, kind=EntryKind.REVOKE) -> list[int]:
    entries = LedgerEntry.objects.filter(wallet__account=account, kind=kind)
    return list(entries.order_by("seq").values_list("credits", flat=True))


def spend_block(account, credits: int) -> None:
    use(account, PLAN_CREDITS)
    use(account, credits)


class TestUntouched:
    def test_the_money_goes_back_and_the_grant_is_voided(self, wire, business, alice):
        purchase = bought(wire, business, alice)

        made = refund(purchase)

        purchase.refresh_from_db()
        grant = grant_of(purchase)
        assert (made.state, made.amount_cents) == (RefundState.DONE, 500)
        assert (grant.remaining, grant.voided_at) == (0, LATER)
        assert purchase.state == PurchaseState.REFUNDED
        assert audits.verify() == []

    def test_the_buyer_and_whoever_hears_about_money_are_told(
        self, wire, business, alice
    ):
        refund(bought(wire, business, alice))

        [notice] = Notice.objects.filter(kind="refund_made")
        assert notice.subject == "$5.00 returned to Northwind Studio"
        assert "100 credits that were not used have ended" in notice.text

    def test_who_asked_for_it_and_why_is_written_down(self, wire, business, alice):
        made = refund(bought(wire, business, alice))

        asked = AuditEvent.objects.get(action="refund.asked")
        assert asked.actor == made.requested_by.email
        assert asked.reason == "Asked for by phone"
        assert AuditEvent.objects.filter(action="refund.done").count() == 1


class TestPartlySpent:
    def test_the_unspent_share_goes_back(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        spend_block(business, 70)

        made = refund(purchase)

        purchase.refresh_from_db()
        assert (made.amount_cents, made.credits_removed) == (150, 30)
        assert (made.debt_credits, wallet_of(business).debt) == (0, 0)
        assert purchase.state == PurchaseState.PAID
        assert audits.verify() == []

    def test_what_a_job_holds_is_not_refunded(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        use(business, PLAN_CREDITS)
        hold(business, 40)

        made = refund(purchase)

        grant = grant_of(purchase)
        assert (made.amount_cents, made.credits_removed) == (300, 60)
        assert (grant.remaining, grant.held, grant.voided_at) == (40, 40, None)

    def test_all_of_it_makes_a_debt_of_what_was_used(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        spend_block(business, 70)

        made = refund(purchase, Extent.ALL)

        assert (made.credits_removed, made.debt_credits, made.debt_cents) == (
            *(30, 70),
            350,
        )
        assert wallet_of(business).debt == 70
        assert audits.verify() == []

    def test_a_running_job_is_waited_for(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        use(business, PLAN_CREDITS)
        held = hold(business, 40)

        made = refund(purchase, Extent.ALL)
        assert (made.credits_removed, made.credits_waiting) == (60, 40)
        assert made.next_check_at
        finish(held, 25)
        refunding.look_after(refund_id=made.pk, at=made.next_check_at)

        made.refresh_from_db()
        assert (made.credits_removed, made.debt_credits) == (75, 25)
        assert (made.credits_waiting, grant_of(purchase).remaining) == (0, 0)
        assert audits.verify() == []


class TestExpired:
    def test_takes_nothing_and_counts_as_refunded(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        after = grant_of(purchase).expires_at + timedelta(days=1)
        wire.at(after)

        made = refund(purchase, Extent.AMOUNT, cents=500, at=after)

        assert (made.credits_removed, made.credits_expired) == (0, 100)
        assert (made.debt_credits, moved(business)) == (0, [])


class TestSeveral:
    def test_take_together_what_all_of_the_money_was_for(self, wire, business, alice):
        purchase = bought(wire, business, alice)

        for cents in (99, 99, 302):
            refund(purchase, Extent.AMOUNT, cents=cents)

        # 99 cents are 19.8 credits, 198 are 39.6, 500 are 100.
        assert moved(business) == [-19, -20, -61]
        purchase.refresh_from_db()
        assert purchase.state == PurchaseState.REFUNDED
        assert audits.verify() == []

    def test_never_give_back_more_than_was_paid(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        refund(purchase, Extent.AMOUNT, cents=400)

        with pytest.raises(RefundRefused, match="more than is left"):
            refund(purchase, Extent.AMOUNT, cents=101)

    def test_one_form_is_one_refund(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        payment = payment_of(purchase)
        previewed = refunding.preview(payment, Extent.AMOUNT, cents=100, at=LATER)
        wish = {"by": alice, "reason": "Twice", "form_key": "one", "at": LATER}

        first = refunding.ask(payment, previewed, **wish)
        second = refunding.ask(payment, previewed, **wish)

        assert first == second
        [charge] = wire.charges()
        assert charge["amount_refunded"] == 100


class TestInTheDashboard:
    def test_has_the_same_effect(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        spend_block(business, 70)
        at_stripe(wire, purchase, 500)

        hear(wire)

        [made] = Refund.objects.all()
        assert (made.requested_by, made.state) == (None, RefundState.DONE)
        assert (made.credits_removed, made.debt_credits) == (30, 70)
        assert audits.verify() == []

    def test_is_posted_once_however_often_it_is_told(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        at_stripe(wire, purchase, 250)

        hear(wire)
        hear(wire, MUCH_LATER)

        assert moved(business) == [-50]

    def test_of_a_payment_that_is_not_here_waits(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        refund_id = at_stripe(wire, purchase, 250)
        purchase.refunds.all().delete()
        type(purchase).objects.update(stripe_payment_intent_id="pi_other")

        with pytest.raises(UnknownPayment):
            taking_back.apply_refund(stripe_gateway.refund(refund_id), at=NOW)


class TestFailed:
    def test_puts_the_credits_back(self, wire, business, alice):
        purchase = bought(wire, business, alice, card=FAILING_REFUNDS)
        made = refund(purchase)
        wire.at(MUCH_LATER)

        refunding.look_after(refund_id=made.pk, at=MUCH_LATER)

        made.refresh_from_db()
        purchase.refresh_from_db()
        grant = grant_of(purchase)
        assert (made.state, purchase.state) == (RefundState.FAILED, PurchaseState.PAID)
        assert (grant.remaining, grant.voided_at) == (100, None)
        assert moved(business, EntryKind.REINSTATE) == [100]
        assert Notice.objects.filter(kind="refund_failed").count() == 1
        assert audits.verify() == []

    def test_ends_the_debt(self, wire, business, alice):
        purchase = bought(wire, business, alice, card=FAILING_REFUNDS)
        spend_block(business, 70)
        made = refund(purchase, Extent.ALL)
        wire.at(MUCH_LATER)

        refunding.look_after(refund_id=made.pk, at=MUCH_LATER)

        assert wallet_of(business).debt == 0
        assert grant_of(purchase).remaining == 30
        assert audits.verify() == []

    def test_gives_again_what_had_paid_the_debt_meanwhile(self, wire, business, alice):
        purchase = bought(wire, business, alice, card=FAILING_REFUNDS)
        spend_block(business, 70)
        made = refund(purchase, Extent.ALL)
        bought(wire, business, alice)  # 70 of its 100 pay the debt first
        wire.at(MUCH_LATER)

        refunding.look_after(refund_id=made.pk, at=MUCH_LATER)

        wallet = wallet_of(business)
        assert (wallet.debt, wallet.available) == (0, 30 + 30 + 70)
        assert audits.verify() == []


class TestWhenStripeDoesNotAnswer:
    @pytest.mark.parametrize(
        ("kind", "times"), [("500", 1), ("429", 1), ("timeout_after_commit", 3)]
    )
    def test_it_is_made_once(self, wire, business, alice, kind, times):
        purchase = bought(wire, business, alice)
        wire.fail_next(kind, on="POST /v1/refunds", times=times)

        made = refund(purchase, Extent.AMOUNT, cents=200)
        assert made.state == RefundState.ASKED
        later = made.next_check_at + timedelta(hours=30)  # the key is forgotten
        refunding.look_after(refund_id=made.pk, at=later)

        made.refresh_from_db()
        [charge] = wire.charges()
        assert (made.state, charge["amount_refunded"]) == (RefundState.DONE, 200)
        assert moved(business) == [-40]

    def test_one_that_stripe_refuses_moves_nothing(self, wire, business, alice):
        purchase = bought(wire, business, alice)
        payment = payment_of(purchase)
        previewed = refunding.preview(payment, Extent.ALL, at=LATER)
        at_stripe(wire, purchase, 100)

        made = refunding.ask(
            payment, previewed, by=alice, reason="", form_key="late", at=LATER
        )

        assert made.state == RefundState.FAILED
        assert made.failure == (
            "Refund amount ($5.00) is greater than unrefunded amount on charge ($4.00)"
        )
        assert moved(business) == [-20]  # what the dashboard gave back


def hold(account, credits: int) -> int:
    wallet = wallet_of(account)
    held = ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key=f"hold:{credits}",
        actor="test",
        at=LATER,
    )
    return held.hold_id


def finish(hold_id: int, credits: int) -> None:
    ledger.capture(
        hold_id=hold_id,
        lines=(ledger.UsedLine("look", credits, 1, credits),),
        is_final=True,
        idempotency_key=f"capture:{hold_id}",
        actor="test",
        at=LATER,
    )


class TestAudits:
    def test_name_a_refund_that_moved_something_else(self, wire, business, alice):
        made = refund(bought(wire, business, alice))
        Refund.objects.filter(pk=made.pk).update(credits_removed=99)

        [finding] = audits.verify()

        assert finding.check == "I5 each refund moved what it says"

    def test_name_a_refund_that_is_not_on_record(self, wire, business, alice):
        refund(bought(wire, business, alice))
        Refund.objects.all().delete()

        assert "I5 each entry of a refund has its refund" in {
            finding.check for finding in audits.verify()
        }

    def test_name_what_was_refunded_beyond_what_was_paid(self, wire, business, alice):
        made = refund(bought(wire, business, alice))
        Refund.objects.filter(pk=made.pk).update(amount_cents=501)

        [finding] = audits.verify()

        assert finding.text.endswith(": 501 cents of 500 were refunded")
