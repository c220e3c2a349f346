"""The alerts page, and the page behind the link to unsubscribe."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Notice, Role
from accounts.roles import Permission, may
from credits import alerting, alerts
from credits.models import AlertSettings, Unsubscription
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_user, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

PAGE, SAVE, TEST = "/alerts/", "/alerts/save/", "/alerts/test/"
SENT = {
    "thresholds": "1,000\n50\n",
    "expiry_days": ["7", "1"],
    "emails": "Ops@example.com",
}


@pytest.fixture
def wallet(db):
    return make_wallet(make_account("Northwind"), {"plan": (100, None)})


@pytest.fixture
def alice(wallet):
    return make_member(wallet.account, Role.OWNER, "alice@example.com")


@pytest.fixture
def browser(alice):
    return browser_of(alice)


@pytest.fixture
def link(wallet):
    token = alerts.unsubscribe_token(wallet.pk, "ops@example.com")
    return reverse("credits:unsubscribe", args=[token])


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response) -> str:
    return unescape(" ".join(response.content.decode().split()))


class TestAccess:
    @pytest.mark.parametrize("role", Role)
    def test_to_the_page_is_everybodys(self, wallet, role):
        response = browser_of(make_member(wallet.account, role)).get(PAGE)

        assert response.status_code == 200

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("path", [SAVE, TEST])
    def test_to_what_changes_is_a_permission(self, wallet, role, path):
        response = browser_of(make_member(wallet.account, role)).post(path, SENT)

        assert (response.status_code == 303) == may(role, Permission.MANAGE_SETTINGS)

    @pytest.mark.parametrize("path", [PAGE, SAVE, TEST])
    def test_is_for_those_who_signed_in(self, wallet, path):
        response = Client().post(path) if path != PAGE else Client().get(path)

        assert (response.status_code, "login" in response.url) == (302, True)

    @pytest.mark.parametrize("path", [SAVE, TEST])
    def test_by_reading_changes_nothing(self, browser, path):
        assert browser.get(path).status_code == 405

    def test_without_an_account_leads_to_one(self, wallet):
        response = browser_of(make_user()).get(PAGE)

        assert response.url == reverse("accounts:new_account")


class TestPage:
    def test_shows_the_settings_the_recipients_and_what_was_sent(self, browser, wallet):
        browser.post(SAVE, SENT)
        alerting.raise_low_balances([wallet.pk], at=NOW)

        page = text_of(browser.get(PAGE))

        assert "1,000 50</textarea>" in page
        assert "100 credits available now." in page
        assert "ops@example.com" in page
        assert "Less than 1,000 credits" in page
        assert "100 left" in page

    def test_explains_itself_to_those_who_may_not_change_it(self, wallet, browser):
        browser.post(SAVE, SENT)
        bob = make_member(wallet.account, Role.MEMBER)

        page = text_of(browser_of(bob).get(PAGE))

        assert "These roles do: Owner, Admin." in page
        assert "below 1,000" in page
        assert "<textarea" not in page

    def test_saves_what_was_sent(self, browser, wallet):
        response = browser.post(SAVE, SENT)

        settings = AlertSettings.objects.get()
        assert (response.status_code, response.url) == (303, PAGE)
        assert settings.thresholds == [1_000, 50]
        assert settings.expiry_days == [7, 1]
        assert settings.emails == ["ops@example.com"]
        assert "The alerts are saved." in text_of(browser.get(PAGE))

    def test_can_switch_everything_off(self, browser, wallet):
        browser.post(SAVE, {})

        settings = AlertSettings.objects.get()
        assert (settings.thresholds, settings.expiry_days) == ([], [])

    @pytest.mark.parametrize(
        ("name", "sent", "problem"),
        [
            ("thresholds", "0", "“0” is not a number of credits, such as 500."),
            ("thresholds", "1.5", "“1.5” is not a number of credits"),
            ("thresholds", "-5", "“-5” is not a number of credits"),
            ("thresholds", "1" * 30, "is not a number of credits"),
            ("thresholds", "٣", "is not a number of credits"),
            ("thresholds", "\n".join(map(str, range(1, 12))), "at most 10 lines"),
            ("emails", "ops", "“ops” is not an e-mail address."),
            ("emails", "\n".join(f"{n}@a.example" for n in range(11)), "at most 10"),
            ("expiry_days", "2", "Select a valid choice."),
        ],
    )
    def test_says_what_is_wrong(self, browser, name, sent, problem):
        response = browser.post(SAVE, SENT | {name: sent})

        assert response.status_code == 422
        assert problem in text_of(response)
        assert not AlertSettings.objects.exists()


class TestTest:
    def test_goes_to_whoever_asks_with_the_true_balance(self, browser):
        browser.post(TEST)

        [notice] = Notice.objects.all()
        assert notice.recipient == "alice@example.com"
        assert notice.subject == "Test: an alert of Northwind"
        assert "Available now: 100 credits" in notice.text

    def test_is_sent_once_a_minute(self, browser):
        browser.post(TEST)
        browser.post(TEST)

        assert Notice.objects.count() == 1


class TestUnsubscribe:
    def test_asks_first_and_changes_nothing_by_being_read(self, wallet, link):
        page = text_of(Client().get(link))

        assert "<strong>ops@example.com</strong> is told" in page
        assert not Unsubscription.objects.exists()

    def test_needs_no_signing_in(self, wallet, link):
        visitor = Client()

        response = visitor.post(link)

        assert (response.status_code, response.url) == (303, link)
        assert "You are unsubscribed" in text_of(visitor.get(link))
        assert Unsubscription.objects.get().email == "ops@example.com"

    def test_can_be_undone_by_the_same_link(self, wallet, link):
        Client().post(link)

        Client().post(link, {"again": "1"})

        assert not Unsubscription.objects.exists()

    def test_with_a_forged_link_is_not_found(self, wallet, link):
        assert Client().get(link[:-4] + "abc/").status_code == 404
