"""Two of the staff publish at once: one version, and one who is told so (R96, R36)."""

from __future__ import annotations

from threading import Barrier

import pytest
from django.db.models import QuerySet

from accounts.roles import StaffGroup
from billing.models import OfferDraft, Plan, PlanVersion
from billing.plans import catalogue
from billing.plans import drafts as plan_drafts
from credits import quoting, rate_cards, rate_drafts
from credits.models import RateCard, RateDraft
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.credits.rate_drafting import begin, set_rates
from tests.factories import make_staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
AT_ONCE = 6


@pytest.fixture
def staff(transactional_db):
    quoting.rate_table.cache_clear()
    catalogue.publish(catalogue.read(), currency="usd")
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    return [make_staff(StaffGroup.ADMIN) for _ in range(AT_ONCE)]


def publish_rates(draft, by):
    seen = draft.digest
    return rate_drafts.publish(
        RateDraft.objects.get(pk=draft.pk),
        seen=seen,
        tells_customers=False,
        reason="Costs rose",
        by=by,
        at=NOW,
    )


class TestPublishingRates:
    def test_of_one_draft_happens_once(self, staff):
        draft = set_rates(begin(staff[0]), staff[0], look=(2, 1))

        outcomes = race(
            lambda n: publish_rates(draft, staff[n]), rounds=AT_ONCE, threads=AT_ONCE
        )

        assert tally(outcomes) == {"RateCard": 1, "DraftMoved": AT_ONCE - 1}
        assert RateCard.objects.filter(rate_plan="standard").count() == 2

    def test_of_many_drafts_of_one_card_happens_once(self, staff):
        drafts = [set_rates(begin(one), one, look=(2, 1)) for one in staff]

        outcomes = race(
            lambda n: publish_rates(drafts[n], staff[n]),
            rounds=AT_ONCE,
            threads=AT_ONCE,
        )

        assert tally(outcomes) == {"RateCard": 1, "DraftRefused": AT_ONCE - 1}

    @pytest.mark.twin
    def test_of_many_without_the_lock_is_left_to_the_constraint(
        self, staff, monkeypatch
    ):
        gate, publish = Barrier(AT_ONCE), rate_cards.publish

        def publish_together(card, *, at):
            gate.wait(timeout=30)  # all have counted the versions
            return publish(card, at=at)

        monkeypatch.setattr(rate_cards, "publish", publish_together)
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
        drafts = [set_rates(begin(one), one, look=(2, 1)) for one in staff]

        outcomes = race(
            lambda n: publish_rates(drafts[n], staff[n]),
            rounds=AT_ONCE,
            threads=AT_ONCE,
        )

        assert tally(outcomes) == {"RateCard": 1, "IntegrityError": AT_ONCE - 1}

    def test_of_two_rate_plans_makes_two_versions(self, staff):
        drafts = [
            set_rates(begin(one, plan), one, look=(2, 1))
            for one, plan in zip(staff, ("standard", "legacy"), strict=False)
        ]

        cards = race(lambda n: publish_rates(drafts[n], staff[n]), rounds=2, threads=2)

        assert {card.version for card in cards} == {2, 3}


class TestPublishingAPlan:
    def test_of_one_draft_happens_once(self, staff):
        plan, ada = Plan.objects.get(code="creator"), staff[0]
        draft = plan_drafts.begin(plan=plan, by=ada, at=NOW)
        terms = plan_drafts.PlanTerms(600, 3_900, None)
        plan_drafts.set_terms(
            draft, terms, starts_at=None, seen=draft.digest, by=ada, at=NOW
        )
        seen = OfferDraft.objects.get().digest

        outcomes = race(
            lambda n: plan_drafts.publish(
                draft, seen=seen, reason="Costs rose", by=staff[n], at=NOW
            ),
            rounds=AT_ONCE,
            threads=AT_ONCE,
        )

        assert tally(outcomes) == {"PlanVersion": 1, "DraftMoved": AT_ONCE - 1}
        assert PlanVersion.objects.filter(plan=plan).count() == 2
