"""The pages on which a legacy plan is left, with all that goes with it (R34)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.changes import arranging
from billing.models import ChangeState, Consent, PlanChange
from credits import quoting, rate_cards
from tests.billing.changes import fields, tell_prices
from tests.billing.conftest import on_plan
from tests.billing.legacies import CODE, ENDS, on_legacy
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import make_account, make_member


@pytest.fixture
def account(offered):
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    quoting.rate_table.cache_clear()
    return on_legacy(make_account())


@pytest.fixture
def owner(client, account):
    client.force_login(make_member(account, Role.OWNER))
    return client


def preview(browser, code="creator", **query) -> str:
    return get(browser, "preview_change", plan=code, **query)


def confirm(browser, page, **typed):
    sent = fields(page) | {"typed": "Unlimited"} | typed
    return browser.post(reverse("billing:confirm_change"), sent)


class TestPlan:
    def test_offers_all_that_is_sold_and_no_legacy_plan(self, owner):
        page = get(owner, "plan")

        assert "Choose Creator" in page
        assert "Choose Legacy" not in page


class TestLosses:
    def test_are_named_one_by_one(self, owner):
        page = preview(owner)

        assert "The plan ends on" in page
        assert "Unlimited is not sold any more: nobody can return to it." in page
        assert "Your 300 premium credits stay yours" in page
        assert "There are no further packs of premium credits." in page
        assert (
            "Audio dubbing costs more with credits. Premium credits: Included. "
            "Credits: 2 credits per minute." in page
        )
        assert "Creator begins when you pay for it" in page

    def test_name_no_next_plan_when_there_is_none(self, owner):
        page = preview(owner, "free")

        assert "the account is on Free" in page
        assert "begins when you pay for it" not in page

    def test_at_once_include_the_time_that_is_paid(self, owner):
        page = preview(owner, now="")

        assert "What is left of that time is lost and not paid back." in page
        assert "Continue to checkout" in page
        assert "$29.00" in page

    def test_lead_from_later_to_now_and_back(self, owner):
        later, now = preview(owner), preview(owner, now="")

        assert 'href="?plan=creator&amp;interval=month&amp;now"' in later
        assert 'href="?plan=creator&amp;interval=month"' in now


class TestConfirm:
    def test_asks_for_the_name_of_the_plan(self, owner):
        response = confirm(owner, preview(owner), typed="Creator")

        assert response.status_code == 422
        assert "This is not the name of your plan." in response.content.decode()
        assert not PlanChange.objects.exists()

    def test_takes_it_in_any_case(self, owner):
        response = confirm(owner, preview(owner), typed=" unlimited ")

        assert response.status_code == 303
        assert Consent.objects.get().text == (
            "I leave Unlimited for good: nobody can return to it."
        )

    def test_leads_to_where_the_end_stands(self, owner):
        response = confirm(owner, preview(owner))

        page = owner.get(response.url).content.decode()
        assert "Unlimited ends on" in page
        assert "Keep the plan" in page
        assert PlanChange.objects.get().takes_effect_at == ENDS

    def test_at_once_leads_to_the_checkout(self, wire, owner):
        tell_prices()

        response = confirm(owner, preview(owner, now=""))

        assert response.url == PlanChange.objects.get().checkout_url

    def test_can_be_taken_back(self, owner):
        confirm(owner, preview(owner))
        change = PlanChange.objects.get()

        owner.post(reverse("billing:undo_change", args=[change.public_id]))

        change.refresh_from_db()
        assert change.state == ChangeState.UNDONE

    def test_when_it_has_ended_offers_the_plan_that_was_chosen(self, owner):
        confirm(owner, preview(owner))
        change = PlanChange.objects.get()
        arranging.look_after_change(change_id=change.pk, at=ENDS)

        page = get(owner, "change", change.public_id)

        assert "Unlimited has ended" in page
        assert f'{reverse("billing:preview_change")}?plan=creator"' in page


class TestBackToLegacy:
    @pytest.mark.parametrize("plan", ["free", "creator", "business"])
    def test_is_refused_by_its_rule(self, client, plan, offered):
        client.force_login(make_member(on_plan(plan), Role.OWNER))

        response = client.get(reverse("billing:preview_change"), {"plan": CODE})

        page = " ".join(response.content.decode().split())
        assert response.status_code == 409
        assert "Rule R34" in page
        assert "nobody can move to one. Choose one of the plans that are." in page

    def test_is_refused_after_the_end_too(self, owner, account):
        confirm(owner, preview(owner))
        change = PlanChange.objects.get()
        arranging.look_after_change(change_id=change.pk, at=ENDS)

        response = owner.get(reverse("billing:preview_change"), {"plan": CODE})

        assert response.status_code == 409
