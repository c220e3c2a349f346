"""The dispute desk: who sees it, what it shows, and what it does at Stripe."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEvent, Notice, Role
from accounts.roles import StaffGroup
from billing.models import (
    Consent,
    ConsentKind,
    Dispute,
    DisputeStatus,
    FraudWarning,
    Purchase,
    WarningState,
)
from billing.purchases import settling
from billing.views import staff_disputes
from credits import ledger, rate_cards
from credits.models import Wallet
from tests.billing.bank import Bank
from tests.billing.conftest import available, buy
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import job, make_member, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def plans(wire, monkeypatch) -> Plans:
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    monkeypatch.setattr(staff_disputes, "now", lambda: NOW)
    return Plans(wire)


@pytest.fixture
def bank(plans) -> Bank:
    return Bank(plans)


@pytest.fixture
def bought(plans, business, alice) -> Purchase:
    """300 credits for $15.00, agreed to from an address."""
    Consent.objects.create(
        account=business,
        user=alice,
        kind=ConsentKind.PLAN,
        version="3",
        text="I agree that Business renews each month.",
        target="business",
        address="203.0.113.7",
        given_at=NOW - timedelta(hours=1),
    )
    purchase = buy(business, alice, blocks=3)
    plans.wire.pay(purchase.stripe_session_id)
    settling.settle(session_id=purchase.stripe_session_id, at=NOW)
    plans.hear()
    return purchase


@pytest.fixture
def desk(client):
    """A browser of somebody of finance."""
    client.force_login(make_staff(StaffGroup.FINANCE))
    return client


def address(name: str, row=None) -> str:
    return reverse(f"billing:{name}", args=[row.pk] if row else [])


def stands_at_stripe(plans) -> str:
    dispute_id = Dispute.objects.get().stripe_dispute_id
    return plans.wire.client().v1.disputes.retrieve(dispute_id).status


class TestDesk:
    def test_lists_what_is_due_and_what_is_warned_about(self, desk, bank, bought):
        bank.warn(bought)
        bank.dispute(bought, "inquiry")

        page = desk.get(address("staff_disputes")).content.decode()

        assert Dispute.objects.get().stripe_dispute_id in page
        assert FraudWarning.objects.get().stripe_warning_id in page
        assert "Inquiry, answer needed" in page

    def test_says_what_losing_would_do(self, desk, bank, business, bought):
        wallet = Wallet.objects.get(account=business)
        ledger.spend(job(wallet, 1_600), at=NOW)
        bank.dispute(bought)

        page = desk.get(address("staff_dispute", Dispute.objects.get()))

        text = page.content.decode()
        assert "If it is lost, 200 credits are removed." in text
        assert "100 credits that were used are owed." in text

    def test_tells_staff_by_mail(self, desk, bank, bought):
        bank.dispute(bought)

        [notice] = Notice.objects.filter(kind="staff_dispute")
        assert notice.account is None
        assert "Evidence is due by 19 Mar 2026, 12:00 UTC." in notice.text


class TestEvidence:
    @pytest.fixture
    def text(self, desk, bank, business, bought) -> str:
        wallet = Wallet.objects.get(account=business)
        milo = make_member(business, Role.MEMBER, "milo@example.com")
        ledger.spend(job(wallet, 1_510, member=milo), at=NOW)
        Notice.objects.filter(kind="receipt").update(sent_at=NOW)
        bank.dispute(bought)
        page = desk.get(address("staff_dispute_evidence", Dispute.objects.get()))
        assert page["Content-Type"] == "text/plain; charset=utf-8"
        return page.content.decode()

    @pytest.mark.parametrize(
        "line",
        [
            "300 credits for online services, $15.00.",
            "Ordered 2026-03-10 12:00:00 UTC by alice@example.com.",
            "alice@example.com from 203.0.113.7, version 3: “I agree that Business",
            "to alice@example.com: Receipt: 300 credits for Northwind Studio",
            "milo@example.com: ",
            "10 credits",
            "Refund policy",
        ],
    )
    def test_is_made_of_our_own_records(self, text, line):
        assert line in text

    def test_counts_only_use_of_the_very_credits(self, text):
        [line] = [line for line in text.splitlines() if "milo@example.com" in line]

        assert line.endswith(", 10 credits")


class TestAnswer:
    def test_hands_our_evidence_in(self, desk, plans, bank, bought):
        bank.dispute(bought)
        dispute = Dispute.objects.get()

        desk.post(
            address("staff_dispute_answer", dispute),
            {"note": "She used it the same day.", "is_sure": "on"},
        )

        told = plans.wire.client().v1.disputes.retrieve(dispute.stripe_dispute_id)
        assert told.evidence.uncategorized_text == "She used it the same day."
        assert told.evidence.customer_email_address == "alice@example.com"
        dispute.refresh_from_db()
        assert dispute.status == DisputeStatus.UNDER_REVIEW
        assert AuditEvent.objects.filter(action="dispute.answered").count() == 1

    def test_needs_the_word_that_it_is_meant(self, desk, plans, bank, bought):
        bank.dispute(bought)

        answer = desk.post(address("staff_dispute_answer", Dispute.objects.get()))

        assert answer.status_code == 422
        assert stands_at_stripe(plans) == "needs_response"

    def test_says_so_when_the_bank_takes_no_more(self, desk, plans, bank, bought):
        bank.dispute(bought)
        bank.decide("lose")

        answer = desk.post(
            address("staff_dispute_answer", Dispute.objects.get()),
            {"is_sure": "on"},
            follow=True,
        )

        assert "The bank takes nothing more" in answer.content.decode()


class TestAccept:
    def test_gives_the_dispute_up(self, desk, plans, bank, business, bought):
        bank.dispute(bought)

        desk.post(
            address("staff_dispute_accept", Dispute.objects.get()),
            {"reason": "It was our mistake.", "is_sure": "on"},
        )

        assert stands_at_stripe(plans) == "lost"
        assert Dispute.objects.get().removed_credits == 300
        assert available(business) == 1_500
        audited = AuditEvent.objects.get(action="dispute.accepted")
        assert audited.reason == "It was our mistake."

    def test_is_not_for_support(self, client, plans, bank, bought):
        client.force_login(make_staff(StaffGroup.SUPPORT))
        bank.dispute(bought)

        answer = client.post(
            address("staff_dispute_accept", Dispute.objects.get()),
            {"reason": "why not", "is_sure": "on"},
        )

        assert answer.status_code == 403
        assert stands_at_stripe(plans) == "needs_response"

    def test_stripe_silent_says_to_try_again(self, desk, plans, bank, bought):
        bank.dispute(bought)
        plans.wire.fail_next("500", on="POST /v1/disputes", times=3)

        answer = desk.post(
            address("staff_dispute_accept", Dispute.objects.get()),
            {"reason": "why not", "is_sure": "on"},
            follow=True,
        )

        assert "Stripe cannot be reached right now" in answer.content.decode()


class TestKeep:
    def test_makes_credits_usable_again(self, desk, bank, business, bought):
        bank.warn(bought)

        desk.post(
            address("staff_warning_keep", FraudWarning.objects.get()),
            {"reason": "She rang.", "is_sure": "on"},
        )

        assert FraudWarning.objects.get().state == WarningState.KEPT
        assert available(business) == 1_800


class TestCustomerPages:
    @pytest.mark.parametrize(
        ("kind", "sentence"),
        [
            ("fraudulent", "300 credits of it are frozen until the bank has decided"),
            ("inquiry", "A bank asks about one of your payments."),
        ],
    )
    def test_say_what_waits_and_why(self, client, bank, bought, alice, kind, sentence):
        bank.dispute(bought, kind)
        client.force_login(alice)

        overview = client.get(reverse("billing:overview")).content.decode()
        purchase = client.get(reverse("billing:purchase", args=[bought.public_id]))

        assert sentence in overview
        assert sentence in purchase.content.decode()
