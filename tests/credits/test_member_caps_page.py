"""The page of member caps, and the forms that set them (R87)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEvent, Membership, Role
from credits import ledger
from credits.models import MemberCap
from credits.views import member_caps as view
from tests.conftest import NOW
from tests.factories import job, make_account, make_member, make_wallet

PAGE, EACH = "/team/caps/", "/team/caps/each-member/"


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    """The pages read the clock of the tests."""
    monkeypatch.setattr(view, "now", lambda: NOW)


@pytest.fixture
def wallet(db):
    return make_wallet(make_account("Northwind"), {"plan": (1_500, None)})


@pytest.fixture
def alice(wallet):
    return make_member(wallet.account, Role.OWNER, "alice@example.com")


@pytest.fixture
def bob(wallet):
    return make_member(wallet.account, Role.MEMBER, "bob@example.com")


@pytest.fixture
def browser(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def set_cap(wallet, alice):
    def set_(credits, member=None):
        ledger.set_cap(
            wallet_id=wallet.pk,
            member_id=member.pk if member else None,
            credits=credits,
            set_by_id=alice.pk,
            at=NOW,
        )

    return set_


def form_of(member) -> str:
    membership = Membership.objects.get(user=member)
    return reverse("credits:set_member_cap", args=[membership.pk])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def caps() -> dict[str | None, int]:
    return dict(MemberCap.objects.values_list("member__email", "credits"))


class TestAccess:
    @pytest.mark.parametrize("role", Role)
    def test_shows_caps_to_every_role(self, client, wallet, role):
        client.force_login(make_member(wallet.account, role))

        assert client.get(PAGE).status_code == 200

    @pytest.mark.parametrize("role", [Role.BILLING, Role.MEMBER])
    def test_lets_only_those_who_manage_the_team_set_them(
        self, client, wallet, bob, role
    ):
        client.force_login(make_member(wallet.account, role))

        for path in (EACH, form_of(bob)):
            assert client.get(path).status_code == 403
            assert client.post(path, {"credits": "5"}).status_code == 403
        assert "These roles do: Owner, Admin." in text_of(client.get(PAGE))
        assert caps() == {}

    def test_knows_nobody_of_another_account(self, browser):
        carol = make_member(make_account("Contoso"), Role.OWNER)

        assert browser.get(form_of(carol)).status_code == 404
        assert browser.post(form_of(carol), {"credits": "5"}).status_code == 404

    @pytest.mark.parametrize("path", [PAGE, EACH])
    def test_asks_visitors_to_sign_in(self, client, path):
        assert "login" in client.get(path).url


class TestPage:
    def test_says_that_nobody_has_a_cap(self, browser, bob):
        page = text_of(browser.get(PAGE))

        assert "Nobody has a cap" in page
        assert "bob@example.com" in page

    def test_shows_what_each_member_uses_of_the_cap(
        self, browser, wallet, bob, set_cap
    ):
        set_cap(200)
        set_cap(40, bob)
        ledger.spend(job(wallet, 30, member=bob), at=NOW)

        page = text_of(browser.get(PAGE))

        assert "30 of 40 credits" in page
        assert "0 of 200 credits" in page
        assert 'width="75%"' in page
        assert "reached" not in page

    def test_says_when_a_cap_is_reached(self, browser, wallet, bob, set_cap):
        ledger.spend(job(wallet, 30, member=bob), at=NOW)
        set_cap(20, bob)

        page = text_of(browser.get(PAGE))

        assert "30 of 20 credits" in page
        assert "reached" in page
        assert 'width="100%"' in page

    def test_says_since_when_it_counts(self, browser, wallet, set_cap):
        set_cap(20)
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=NOW - timedelta(days=2),
            cycle_ends_at=NOW + timedelta(days=28),
        )

        page = browser.get(PAGE)

        assert "8 Mar 2026" in text_of(page)
        assert "7 Apr 2026" in text_of(page)

    def test_is_linked_from_the_team_page(self, browser):
        assert PAGE in text_of(browser.get(reverse("accounts:team")))

    def test_costs_the_same_however_large_the_team(
        self, browser, wallet, set_cap, django_assert_num_queries
    ):
        set_cap(20)
        browser.get(PAGE)
        for _ in range(5):
            make_member(wallet.account, Role.MEMBER)

        with django_assert_num_queries(7):
            browser.get(PAGE)


class TestSet:
    def test_caps_one_member(self, browser, bob):
        response = browser.post(form_of(bob), {"credits": "40"}, follow=True)

        assert response.redirect_chain == [(PAGE, 303)]
        assert "The cap is set." in text_of(response)
        assert caps() == {"bob@example.com": 40}

    def test_caps_each_member(self, browser):
        browser.post(EACH, {"credits": "200"})

        assert caps() == {None: 200}

    def test_starts_from_the_cap_there_is(self, browser, bob, set_cap):
        set_cap(200)
        set_cap(40, bob)

        assert 'value="40"' in text_of(browser.get(form_of(bob)))
        assert 'value="200"' in text_of(browser.get(EACH))

    def test_removes_a_cap(self, browser, bob, set_cap):
        set_cap(200)
        set_cap(40, bob)

        response = browser.post(
            form_of(bob), {"credits": "40", "remove": "1"}, follow=True
        )

        assert "The cap is removed." in text_of(response)
        assert caps() == {None: 200}

    def test_offers_to_remove_only_what_there_is(self, browser, bob, set_cap):
        set_cap(200)

        assert "Remove the cap" not in text_of(browser.get(form_of(bob)))
        assert "Remove the cap" in text_of(browser.get(EACH))

    @pytest.mark.parametrize("credits", ["", "-1", "1.5", "many", "9" * 13])
    def test_refuses_what_is_no_amount(self, browser, bob, credits):
        response = browser.post(form_of(bob), {"credits": credits})

        assert response.status_code == 422
        assert "Please correct the form." in text_of(response)
        assert caps() == {}


class TestAudit:
    def test_keeps_what_was_before_and_after(self, browser, alice, bob):
        for sent in ({"credits": "40"}, {"credits": "50"}, {"remove": "1"}):
            browser.post(form_of(bob), sent)

        events = AuditEvent.objects.filter(action__startswith="member_cap")
        assert [
            (event.action, event.actor, event.target, event.before, event.after)
            for event in events.order_by("pk")
        ] == [
            ("member_cap.set", alice.email, bob.email, {}, {"credits": 40}),
            (
                "member_cap.set",
                alice.email,
                bob.email,
                {"credits": 40},
                {"credits": 50},
            ),
            ("member_cap.removed", alice.email, bob.email, {"credits": 50}, {}),
        ]

    def test_has_nothing_to_say_when_nothing_changes(self, browser, set_cap):
        set_cap(40)

        browser.post(EACH, {"credits": "40"})

        assert not AuditEvent.objects.filter(action__startswith="member_cap").exists()
