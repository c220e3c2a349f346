"""Payment methods in a browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Role
from billing import cards as saved_cards
from billing.models import AutoReload
from billing.views import cards
from tests.billing.pages.conftest import get
from tests.billing.reloads import agree, save_card
from tests.conftest import NOW


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    monkeypatch.setattr(cards, "now", lambda: NOW)


@pytest.fixture
def visa(wire, business):
    return save_card(wire, business)


def send(browser, name: str, *args, **form):
    return browser.post(reverse(f"billing:{name}", args=args), form, follow=True)


class TestCardList:
    def test_says_that_there_is_none(self, browser, wire):
        page = get(browser, "cards")

        assert "No card is saved" in page
        assert "Save a card" in page

    def test_shows_brand_last_digits_and_expiry_only(self, browser, visa):
        page = get(browser, "cards")

        assert "Visa" in page
        assert "4242" in page
        assert f"{visa.exp_month:02}/{visa.exp_year}" in page
        assert visa.fingerprint not in page

    def test_says_that_stripe_is_silent(self, browser, visa, wire):
        wire.fail_next("500", on="GET")

        response = browser.get(reverse("billing:cards"))

        assert response.status_code == 503
        assert "Stripe cannot be reached" in response.content.decode()

    def test_is_not_for_members(self, as_role):
        browser = as_role(Role.MEMBER)

        assert browser.get(reverse("billing:cards")).status_code == 403


class TestSaving:
    def test_leads_to_stripe_and_back_with_the_card(self, browser, wire):
        there = browser.post(reverse("billing:add_card"), {"form_key": "f" * 32})
        session = wire.sessions()[-1]["id"]
        wire.pay(session)

        back = browser.get(reverse("billing:cards"), {"saved": session}, follow=True)

        assert there.status_code == 303
        assert "/c/pay/" in there.url
        assert "The card ending in 4242 is saved." in back.content.decode()

    def test_on_a_page_that_does_not_exist_is_not_found(self, browser, visa):
        response = browser.get(reverse("billing:cards"), {"saved": "cs_test_none"})

        assert response.status_code == 404

    def test_before_anything_was_opened_is_not_found(self, browser, wire):
        response = browser.get(reverse("billing:cards"), {"saved": "cs_test_none"})

        assert response.status_code == 404

    def test_says_when_stripe_is_silent(self, browser, wire):
        wire.fail_next("500", on="POST")

        page = send(browser, "add_card", form_key="f" * 32).content.decode()

        assert "Stripe cannot be reached" in page


class TestDefault:
    def test_is_changed(self, browser, business, wire, visa):
        save_card(wire, business, "pm_card_mastercard")

        page = send(browser, "default_card", visa.id).content.decode()

        assert "Visa 4242 pays from now on." in page
        assert saved_cards.card_of(business, visa.id, at=NOW).is_default

    def test_cannot_be_somebody_elses_card(self, browser, business, wire, visa):
        other = wire.client().v1.customers.create({})
        theirs = wire.client().v1.payment_methods.attach(
            "pm_card_visa", {"customer": other.id}
        )

        for name in ("default_card", "remove_card"):
            assert send(browser, name, theirs.id).status_code == 404


class TestRemoving:
    def test_says_first_what_goes_with_it(self, browser, business, alice, visa):
        agree(business, alice, visa)

        page = get(browser, "remove_card", visa.id)

        assert "Remove Visa ending in 4242?" in page
        assert "Auto-reload charges this card. It is turned off." in page
        assert AutoReload.objects.get().is_on

    def test_is_done_when_it_is_confirmed(self, browser, business, alice, visa):
        agree(business, alice, visa)

        page = send(browser, "remove_card", visa.id).content.decode()

        assert "Visa 4242 is removed." in page
        assert "No card is saved" in page
        assert not AutoReload.objects.get().is_on
