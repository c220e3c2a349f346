"""Auto-reload as its customers see it."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from accounts.models import AuditEvent, Notice, Role
from billing.models import AutoReload, Consent, Reload, ReloadState
from billing.reloads import settings as reload_settings
from tests.billing.conftest import available
from tests.billing.pages.conftest import get
from tests.billing.reloads import (
    CARD_WITH_3DS,
    FAILING_CARD,
    OTHER_CARD,
    agree,
    consider,
    paid,
    reload,
    save_card,
    use,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(wire, business):
    return save_card(wire, business)


@pytest.fixture
def sent(card) -> dict[str, str]:
    return {
        "threshold": "500",
        "blocks": "3",
        "largest_charge": "50",
        "monthly_cap": "100",
        "monthly_count": "10",
        "card": card.id,
    }


def save(browser, sent, **changes):
    form = {**sent, "version": "0", "agree": "on", **changes}
    return browser.post(reverse("billing:save_reload"), form)


class TestPage:
    def test_is_off_at_first(self, browser, card):
        html = get(browser, "reload")

        assert "Turn it on" in html
        assert "Nothing is charged unless somebody buys credits." in html

    def test_asks_for_a_card_first(self, browser, wire):
        assert "Save a card first" in get(browser, "reload")

    def test_says_what_may_still_be_charged(self, browser, business, alice, card):
        agree(business, alice, card)
        use(business, 1_100)
        reload(business)

        html = get(browser, "reload")

        assert "$15.00 of $100.00" in html
        assert "$85.00" in html
        assert "Stop auto-reload" in html

    def test_lists_each_charge_and_each_skip_with_its_reason(
        self, browser, business, alice, card
    ):
        agree(business, alice, card, monthly_cap_count=1)
        use(business, 1_100)
        reload(business)
        use(business, 300)
        consider(business, at=NOW.replace(hour=13))

        html = get(browser, "reload")

        assert "Credits fell below the threshold" in html
        assert "The monthly number of charges is reached." in html

    def test_says_why_not_on_other_plans(self, as_owner_on, wire):
        html = get(as_owner_on("creator"), "reload")

        assert "Rule R107" in html
        assert "See what it would cost" not in html

    def test_is_read_only_to_members(self, as_role, wire):
        page = as_role(Role.MEMBER).get(reverse("billing:reload"))

        assert page.status_code == 403


class TestReview:
    def test_says_the_most_that_can_be_charged(self, browser, sent):
        html = get(browser, "review_reload", **sent)

        assert "At most $100.00 until" in html
        assert "Nothing is charged right now." in html
        assert "Turn on auto-reload" in html

    def test_says_what_is_charged_at_once(self, browser, business, sent):
        use(business, 1_100)

        html = get(browser, "review_reload", **sent)

        assert "$15.00 for 300 credits is charged as soon as you turn it on." in html
        assert "Turn on and pay $15.00" in html

    def test_rehearses_the_last_90_days(self, browser, business, sent):
        use(business, 1_100)

        html = get(browser, "review_reload", **sent)

        assert "it would have charged 1 time, $15.00 in all." in html

    def test_saves_nothing(self, browser, sent):
        get(browser, "review_reload", **sent)

        assert not AutoReload.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "problem"),
        [
            ("threshold", "0", "greater than or equal to 1"),
            ("blocks", "0", "greater than or equal to 1"),
            ("largest_charge", "14", "These blocks cost $15.00: allow at least that."),
            ("monthly_cap", "49", "Allow at least the largest single charge."),
            ("card", "pm_of_somebody_else", "Select a valid choice."),
        ],
    )
    def test_refuses_what_makes_no_sense(self, browser, sent, field, value, problem):
        asked = {**sent, field: value}

        page = browser.get(reverse("billing:review_reload"), asked)

        assert page.status_code == 422
        assert problem in page.content.decode()


class TestSave:
    def test_turns_it_on_with_the_very_words(self, browser, business, sent):
        assert save(browser, sent).status_code == 303

        auto = AutoReload.objects.get()
        assert (auto.is_on, auto.threshold, auto.version) == (True, 500, 1)
        consent = Consent.objects.get()
        assert consent == auto.consent
        assert consent.version == "reload-1"
        assert "at most $50.00 at once" in consent.text
        assert consent.address == "127.0.0.1"
        assert consent.given_at == NOW

    def test_charges_what_is_short_once(self, browser, wire, business, sent):
        use(business, 1_100)

        save(browser, sent)
        save(browser, sent, version="1")

        assert paid(wire) == [1_500]
        assert available(business) == 700
        assert Reload.objects.get().trigger == "SETTINGS"

    def test_needs_the_agreement(self, browser, sent):
        page = save(browser, sent, agree="")

        assert page.status_code == 422
        assert "Agree to the charges to go on." in page.content.decode()
        assert not AutoReload.objects.exists()

    def test_is_audited_and_told_to_the_owners(self, browser, alice, sent):
        save(browser, sent)

        event = AuditEvent.objects.get(action="auto_reload.changed")
        assert event.after["threshold"] == 500
        notice = Notice.objects.get(kind="reload_changed")
        assert notice.recipient == alice.email

    def test_refuses_a_form_that_somebody_overtook(self, browser, sent):
        save(browser, sent)

        save(browser, sent, threshold="900")

        assert AutoReload.objects.get().threshold == 500
        page = get(browser, "reload")
        assert "Somebody else has changed auto-reload meanwhile." in page

    def test_goes_on_though_stripe_is_silent(self, browser, wire, business, sent):
        use(business, 1_100)
        wire.fail_next("timeout_after_commit", on="POST /v1/payment_intents", times=3)

        assert save(browser, sent).status_code == 303

        assert Reload.objects.get().state == ReloadState.PROCESSING

    @pytest.mark.parametrize("name", ["save_reload", "stop_reload"])
    def test_is_not_for_members(self, as_role, wire, name):
        page = as_role(Role.MEMBER).post(reverse(f"billing:{name}"))

        assert page.status_code == 403


class TestStop:
    def test_turns_it_off_at_once(self, browser, business, alice, card):
        agree(business, alice, card)

        browser.post(reverse("billing:stop_reload"))

        assert not AutoReload.objects.get().is_on
        use(business, 1_100)
        assert consider(business) is None

    def test_is_told(self, browser, business, alice, card):
        agree(business, alice, card)

        browser.post(reverse("billing:stop_reload"))

        assert "is off" in Notice.objects.latest("pk").subject

    def test_of_nothing_does_nothing(self, browser, wire):
        assert browser.post(reverse("billing:stop_reload")).status_code == 303


class TestConfirm:
    @pytest.fixture
    def waiting(self, wire, business, alice):
        agree(business, alice, save_card(wire, business, CARD_WITH_3DS))
        use(business, 1_100)
        return reload(business)

    def test_is_linked_from_the_banner(self, browser, waiting):
        page = reverse("billing:confirm_reload", args=[waiting.purchase.public_id])

        assert f'href="{page}"' in get(browser, "reload")
        assert f'href="{page}"' in get(browser, "overview")

    def test_leads_to_stripe_for_the_same_amount(self, browser, wire, waiting):
        page = reverse("billing:confirm_reload", args=[waiting.purchase.public_id])
        assert "300 credits for $15.00" in browser.get(page).content.decode()

        led_to = browser.post(page)

        [session] = wire.sessions()
        assert led_to["Location"] == session["url"]

    def test_says_when_it_is_too_late(self, browser, business, alice, waiting):
        reload_settings.turn_off(business, by=alice, at=NOW)

        html = get(browser, "confirm_reload", waiting.purchase.public_id)

        assert "There is nothing to confirm any more." in html

    def test_of_another_account_is_not_found(self, as_owner_on, waiting):
        page = reverse("billing:confirm_reload", args=[waiting.purchase.public_id])

        assert as_owner_on("business").get(page).status_code == 404


class TestSuspension:
    def test_is_shown_with_the_way_out(self, browser, wire, business, alice):
        agree(business, alice, save_card(wire, business, FAILING_CARD))
        AutoReload.objects.update(
            suspended_at=NOW, suspension="DECLINED", failed_fingerprint="x"
        )

        html = get(browser, "reload")

        assert "Auto-reload is paused: The bank refused the card" in html
        assert re.search("Paused", html)

    def test_ends_when_another_card_is_saved(self, browser, wire, business, alice):
        agree(business, alice, save_card(wire, business, FAILING_CARD))
        AutoReload.objects.update(
            suspended_at=NOW, suspension="DECLINED", failed_fingerprint="x"
        )
        other = save_card(wire, business, OTHER_CARD)
        form = {
            "threshold": "500",
            "blocks": "3",
            "largest_charge": "50",
            "monthly_cap": "100",
            "monthly_count": "10",
            "card": other.id,
        }

        save(browser, form, version="1")

        assert AutoReload.objects.get().suspended_at is None
