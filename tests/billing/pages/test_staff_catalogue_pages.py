"""Staff draft rates and plans, see what a draft changes, and publish what they saw."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing import stripe_gateway
from billing.models import OfferDraft, Plan, PlanVersion
from billing.plans import drafts as plan_drafts
from billing.views import staff_catalogue, staff_offers, staff_rates
from credits import quoting, rate_cards
from credits.models import DraftState, RateCard, RateDraft
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.credits.rate_drafting import begin, set_rates, use
from tests.factories import make_account, make_staff, make_wallet

pytestmark = pytest.mark.django_db
SURE = {"reason": "Costs rose", "is_sure": "on"}
SONG = {
    "feature": "song",
    "label": "Song",
    "unit": "MILLISECOND",
    "credits": "6",
    "per": "60000",
    "shown_per": "minute",
}
LATER = NOW + timedelta(days=5)


@pytest.fixture(autouse=True)
def _later(monkeypatch, offered):
    quoting.rate_table.cache_clear()
    quoting._published.cache_clear()
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    for views in (staff_catalogue, staff_offers, staff_rates):
        monkeypatch.setattr(views, "now", lambda: LATER)


@pytest.fixture
def ada():
    return make_staff(StaffGroup.ADMIN)


@pytest.fixture
def admin(client, ada):
    client.force_login(ada)
    return client


@pytest.fixture
def draft(ada):
    return set_rates(begin(ada), ada, look=(2, 1))


@pytest.fixture
def user_of_looks():
    wallet = make_wallet(make_account("Harbor"), grants={"a": (1_000, None)})
    use(wallet, [("look", 300)])


def post(admin, name, *args, **sent):
    return admin.post(reverse(f"billing:{name}", args=args), sent)


class TestCatalogue:
    def test_says_where_each_version_stands(self, admin, draft):
        page = get(admin, "staff_catalogue")

        assert "standard v1" in page
        assert "Rates after standard v1" in page
        assert "In force" in page

    def test_begins_a_draft(self, admin):
        answer = post(admin, "staff_begin_rates", "standard")

        assert answer.url == f"/staff/catalogue/rates/drafts/{only(RateDraft)}/"

    def test_shows_the_rates_of_a_card(self, admin):
        page = get(admin, "staff_rate_card", "standard", 1)

        assert "1 credit for every 3 s" in page
        assert "20 credits per minute" in page


def only(model) -> str:
    return model.objects.get().public_id


class TestRateDraft:
    def test_shows_what_it_changes(self, admin, draft):
        page = get(admin, "staff_rate_draft", draft.public_id)

        assert "<strong>2 credits per look</strong>" in page

    def test_takes_another_rate(self, admin, draft):
        sent = rate_form(admin, draft, "look", credits="3")

        answer = post(admin, "staff_draft_rate", draft.public_id, "look", **sent)

        assert answer.status_code == 303
        draft.refresh_from_db()
        assert rate_of(draft, "look")["credits"] == 3

    def test_keeps_code_and_unit_whatever_is_sent(self, admin, draft):
        sent = rate_form(admin, draft, "look", feature="image", unit="MILLISECOND")

        post(admin, "staff_draft_rate", draft.public_id, "look", **sent)

        draft.refresh_from_db()
        assert rate_of(draft, "look")["unit"] == "PIECE"
        assert rate_of(draft, "image")["credits"] == 2

    def test_says_what_is_wrong_with_a_rate(self, admin, draft):
        sent = rate_form(admin, draft, "look", per="3")

        answer = post(admin, "staff_draft_rate", draft.public_id, "look", **sent)

        assert answer.status_code == 422
        assert "not a whole number of credits per look" in answer.content.decode()

    def test_adds_a_feature(self, admin, draft):
        sent = {
            "feature": "song",
            "label": "Song",
            "unit": "MILLISECOND",
            "credits": "6",
            "per": "60000",
            "shown_per": "minute",
        }

        post(admin, "staff_add_rate", draft.public_id, seen=draft.digest, **sent)

        draft.refresh_from_db()
        assert rate_of(draft, "song")["per"] == 60_000

    def test_ends_a_feature(self, admin, draft):
        post(admin, "staff_end_rate", draft.public_id, "look", seen=draft.digest)

        assert "Ends: jobs are refused" in get(
            admin, "staff_rate_draft", draft.public_id
        )

    def test_takes_a_start(self, admin, draft):
        post(
            admin,
            "staff_start_rates",
            draft.public_id,
            seen=draft.digest,
            starts_at="2026-04-01T00:00",
        )

        draft.refresh_from_db()
        assert draft.starts_at.isoformat() == "2026-04-01T00:00:00+00:00"

    @pytest.mark.parametrize("wrong", ["soon", "2026-03-01T00:00"])
    def test_refuses_another_start(self, admin, draft, wrong):
        sent = {"seen": draft.digest, "starts_at": wrong}

        answer = post(admin, "staff_start_rates", draft.public_id, **sent)

        assert answer.status_code == 422


def rate_form(admin, draft, of, **changes):
    address = reverse("billing:staff_draft_rate", args=[draft.public_id, of])
    form = admin.get(address).context["form"]
    return {name: form[name].value() or "" for name in form.fields} | changes


def rate_of(draft, feature):
    return next(line for line in draft.lines if line["feature"] == feature)


@pytest.mark.usefixtures("user_of_looks")
class TestImpact:
    def test_shows_totals_features_and_customers(self, admin, draft):
        page = get(admin, "staff_rate_impact", draft.public_id)

        assert "+300 (+100 %)" in page
        assert "Harbor" in page

    def test_comes_as_a_table(self, admin, draft):
        answer = post(admin, "staff_rate_impact_csv", draft.public_id)

        _, row = b"".join(answer.streaming_content).decode().splitlines()
        assert ",Harbor,300,600,300,100,2026-03-27" in row
        assert AuditEvent.objects.get(action="rate_draft.impact_downloaded")


class TestPublishRates:
    def publish(self, admin, draft, **sent):
        sent = {**SURE, "seen": draft.digest, **sent}
        return post(admin, "staff_publish_rates", draft.public_id, **sent)

    def test_is_confirmed_with_what_was_shown(self, admin, draft):
        page = get(admin, "staff_confirm_rates", draft.public_id, seen=draft.digest)

        assert draft.digest in page

    def test_wants_the_impact_to_be_of_this_draft(self, admin, draft):
        address = reverse("billing:staff_confirm_rates", args=[draft.public_id])

        answer = admin.get(address, {"seen": "another"})

        assert answer.url == f"/staff/catalogue/rates/drafts/{draft.public_id}/"

    def test_makes_the_next_version(self, admin, draft):
        self.publish(admin, draft, tells_customers="on")

        draft.refresh_from_db()
        assert (str(draft.card), draft.told_up_to) == ("standard v2", 0)
        assert draft.card.starts_at == LATER

    def test_wants_a_reason_and_a_word(self, admin, draft):
        answer = self.publish(admin, draft, reason="", is_sure="")

        assert answer.status_code == 422
        assert RateCard.objects.count() == 2

    def test_is_refused_when_something_has_changed(self, admin, draft):
        answer = self.publish(admin, draft, seen="another")

        assert answer.status_code == 303
        assert "Something has changed" in get(
            admin, "staff_rate_draft", draft.public_id
        )

    def test_can_be_withdrawn_instead(self, admin, draft):
        post(admin, "staff_withdraw_rates", draft.public_id)

        draft.refresh_from_db()
        assert draft.state == DraftState.WITHDRAWN


class TestOfferDraft:
    @pytest.fixture
    def offer(self, ada):
        plan = Plan.objects.get(code="creator")
        return plan_drafts.begin(plan=plan, by=ada, at=NOW)

    @pytest.fixture
    def saved(self, admin, offer):
        sent = {
            "cycle_credits": "650",
            "month_cents": "39.00",
            "year_cents": "",
            "starts_at": "",
            "seen": offer.digest,
        }
        assert post(admin, "staff_offer_terms", offer.public_id, **sent).url
        return OfferDraft.objects.get()

    def test_begins_with_what_is_sold(self, admin):
        post(admin, "staff_begin_plan", "creator")

        page = get(admin, "staff_offer_draft", only(OfferDraft))
        assert 'value="29.00"' in page
        assert "manage.py migrate_prices --plan creator" in page

    def test_of_blocks_begins_with_theirs(self, admin):
        post(admin, "staff_begin_blocks")

        assert 'value="5.00"' in get(admin, "staff_offer_draft", only(OfferDraft))

    def test_shows_what_is_saved(self, admin, saved):
        page = get(admin, "staff_offer_draft", saved.public_id)

        assert "<strong> $39.00 </strong>" in page or "<strong>$39.00</strong>" in page

    def test_says_what_cannot_be(self, admin, offer):
        sent = {"cycle_credits": "0", "month_cents": "0", "seen": offer.digest}

        answer = post(admin, "staff_offer_terms", offer.public_id, **sent)

        assert answer.status_code == 422

    def test_is_published_and_priced(self, wire, admin, saved):
        sent = {**SURE, "seen": saved.digest}

        post(admin, "staff_publish_offer", saved.public_id, **sent)

        version = PlanVersion.objects.get(plan__code="creator", version=2)
        assert (version.cycle_credits, version.year_cents) == (650, None)
        assert stripe_gateway.price_id("purser_creator_v2_month")

    def test_wants_a_reason_and_a_word(self, admin, saved):
        answer = post(admin, "staff_publish_offer", saved.public_id, seen=saved.digest)

        assert answer.status_code == 422
