"""Drafts of plans and blocks: the next version, and nothing of the last one (R36)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing import stripe_gateway, tasks
from billing.models import BlockOffer, OfferDraft, Plan, PlanVersion
from billing.plans import catalogue
from billing.plans import drafts as plan_drafts
from credits.drafting import DraftMoved, DraftRefused
from tests.billing.conftest import on_plan
from tests.billing.plans import DAY
from tests.conftest import NOW
from tests.factories import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("offered")]


@pytest.fixture
def ada():
    return make_staff(StaffGroup.ADMIN)


@pytest.fixture
def creator():
    return Plan.objects.get(code="creator")


@pytest.fixture
def draft(creator, ada):
    return plan_drafts.begin(plan=creator, by=ada, at=NOW)


@pytest.fixture
def dearer(draft, ada):
    return changed(draft, ada, month_cents=3_900, year_cents=38_400)


def changed(draft, by, *, starts_at=None, **terms) -> OfferDraft:
    plan_drafts.set_terms(
        draft,
        replace(plan_drafts.terms_of(draft), **terms),
        starts_at=starts_at,
        seen=draft.digest,
        by=by,
        at=NOW,
    )
    return OfferDraft.objects.get(pk=draft.pk)


def publish(draft, by, at=NOW):
    return plan_drafts.publish(
        draft, seen=draft.digest, reason="Costs rose", by=by, at=at
    )


class TestBegin:
    def test_takes_over_the_last_terms(self, draft):
        assert plan_drafts.terms_of(draft) == plan_drafts.terms_before(draft)
        assert plan_drafts.terms_of(draft).month_cents == 2_900

    @pytest.mark.parametrize("code", ["free", "legacy-unlimited"])
    def test_wants_a_plan_that_is_sold(self, ada, code):
        with pytest.raises(DraftRefused):
            plan_drafts.begin(plan=Plan.objects.get(code=code), by=ada, at=NOW)


class TestSetTerms:
    def test_overwrites_nobody(self, draft, ada):
        stale = OfferDraft.objects.get()
        changed(draft, ada, month_cents=3_900)

        with pytest.raises(DraftMoved):
            changed(stale, ada, month_cents=4_900)

    @pytest.mark.parametrize(
        "wrong",
        [{"month_cents": 0}, {"year_cents": -1}, {"cycle_credits": 0}],
        ids=str,
    )
    def test_refuses_a_plan_of_nothing(self, draft, ada, wrong):
        with pytest.raises(DraftRefused, match="cannot be 0"):
            changed(draft, ada, **wrong)

    def test_refuses_a_start_that_has_passed(self, draft, ada):
        with pytest.raises(DraftRefused, match="has passed"):
            changed(draft, ada, starts_at=NOW - DAY)


class TestPublish:
    def test_is_sold_from_its_start(self, draft, ada):
        publish(changed(draft, ada, month_cents=3_900, starts_at=NOW + DAY), ada)

        cents = [
            catalogue.plan_in_force("creator", at=at).month_cents
            for at in (NOW, NOW + DAY)
        ]
        assert cents == [2_900, 3_900]

    def test_leaves_the_terms_that_are_published(self, dearer, ada, creator):
        publish(dearer, ada)

        first, second = creator.versions.order_by("version")
        assert (first.month_cents, second.month_cents) == (2_900, 3_900)
        assert second.is_sample_price is False

    def test_leaves_subscribers_on_theirs(self, dearer, ada):
        account = on_plan("creator")

        publish(dearer, ada)

        assert account.subscriptions.get().plan_version.version == 1

    def test_happens_once(self, dearer, ada):
        publish(dearer, ada)

        with pytest.raises(DraftMoved):
            publish(dearer, ada)

        assert PlanVersion.objects.filter(plan__code="creator").count() == 2

    def test_is_refused_when_another_was_published_meanwhile(
        self, dearer, creator, ada
    ):
        other = plan_drafts.begin(plan=creator, by=ada, at=NOW)
        publish(changed(other, ada, month_cents=4_900), ada)

        with pytest.raises(DraftRefused, match="creator v2 was published meanwhile"):
            publish(dearer, ada, at=NOW + DAY)

    def test_is_refused_when_nothing_changes(self, draft, ada):
        with pytest.raises(DraftRefused, match="changes nothing"):
            publish(draft, ada)

    def test_leaves_the_file_as_it_is(self, dearer, ada):
        publish(dearer, ada)

        assert catalogue.publish(catalogue.read(), currency="usd") == 0

    def test_is_written_down(self, dearer, ada):
        publish(dearer, ada)

        event = AuditEvent.objects.get(action="offer_draft.published")
        assert (event.before["month_cents"], event.after["month_cents"]) == (
            *(2_900, 3_900),
        )
        assert (event.reason, event.after["shown"]) == ("Costs rose", dearer.digest)

    def test_of_blocks_is_the_next_offer(self, ada):
        draft = plan_drafts.begin(plan=None, by=ada, at=NOW)

        publish(changed(draft, ada, cents=600, expires_after_months=None), ada)

        offer = catalogue.blocks_in_force(at=NOW)
        assert (offer.version, offer.cents, offer.expires_after_months) == (
            *(2, 600, None),
        )
        assert BlockOffer.objects.get(version=1).cents == 500


class TestClosedDraft:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE billing_offerdraft SET terms = '{}'",
            "DELETE FROM billing_offerdraft",
        ],
    )
    def test_never_changes_in_the_database(self, dearer, ada, statement):
        publish(dearer, ada)

        with (
            pytest.raises(DatabaseError, match="is append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def test_cannot_be_published_once_it_is_withdrawn(self, dearer, ada):
        plan_drafts.withdraw(dearer, by=ada, at=NOW)

        with pytest.raises(DraftMoved):
            publish(dearer, ada)


class TestPrice:
    def test_lets_stripe_know_what_is_sold(self, wire, dearer, ada):
        publish(dearer, ada)

        plan_drafts.price(OfferDraft.objects.get(), at=NOW)

        assert stripe_gateway.price_id("purser_creator_v2_month")
        assert stripe_gateway.price_id("purser_creator_v2_year")
        assert OfferDraft.objects.get().priced_at == NOW

    def test_is_made_up_for_when_stripe_did_not_answer(self, wire, dearer, ada):
        publish(dearer, ada)

        tasks._price_offers()

        assert stripe_gateway.price_id("purser_creator_v2_month")
        assert plan_drafts.to_price(limit=10) == []


class TestSubscribers:
    def test_are_counted_by_what_they_pay(self, dearer, ada):
        on_plan("creator")
        on_plan("creator")
        on_plan("pro-1000")

        [month] = plan_drafts.subscribers_of(dearer)

        assert (month.version.version, month.number) == (1, 2)
        assert (month.cents, month.new_cents) == (2_900, 3_900)
