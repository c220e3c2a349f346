"""Signing up and in through allauth, as people do it: forms, e-mails, links."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts import inviting
from accounts.models import Account, Membership, Notice, Role, User
from config.clock import now
from tests.factories import make_account, make_member, make_user

pytestmark = pytest.mark.django_db

SIGNUP, LOGIN = "/accounts/signup/", "/accounts/login/"
DORA = {
    "name": "Dora Diaz",
    "organization": "Dora & Co",
    "country": "IN",
    "email": "Dora@Example.com",
    "password1": "correct horse battery",
}


def confirm(client):
    """Follow the link of the last e-mail and press the button."""
    [link] = re.findall(r"http://testserver(\S+confirm-email\S+)", mail.outbox[-1].body)
    client.get(link)
    return client.post(link)


@pytest.fixture
def invitation_link(db):
    """The address in an invitation of dora to Northwind Studio, as billing."""
    account = make_account()
    make_member(account, Role.OWNER, "alice@example.com")
    inviting.invite(
        account=account,
        email="dora@example.com",
        role=Role.BILLING,
        by=Membership.objects.get(account=account),
        at=now(),
    )
    text = Notice.objects.get(kind="invitation").text
    return re.findall(r"(/invitations/\S+)", text)[0]


class TestSigningUp:
    def test_opens_an_account_that_the_user_owns(self, client):
        response = client.post(SIGNUP, DORA)

        user = User.objects.get()
        membership = Membership.objects.get()
        assert response.url == "/accounts/confirm-email/"
        assert (user.email, user.name) == ("dora@example.com", "Dora Diaz")
        assert (membership.user, membership.role) == (user, Role.OWNER)
        assert membership.account.name == "Dora & Co"
        assert membership.account.country == "IN"

    def test_signs_in_once_the_address_is_confirmed(self, client):
        client.post(SIGNUP, DORA)
        before = client.get("/team/")
        response = confirm(client)

        assert before.status_code == 302
        assert response.url == "/"
        assert client.get("/team/").status_code == 200

    def test_with_a_known_address_looks_the_same_and_writes_to_its_owner(self, client):
        make_user("dora@example.com")

        known = client.post(SIGNUP, DORA)
        unknown = Client().post(SIGNUP, DORA | {"email": "new@example.com"})

        assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
        assert mail.outbox[0].to == ["dora@example.com"]
        assert User.objects.count() == 2
        assert Account.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"name": ""}, "This field is required."),
            ({"organization": ""}, "This field is required."),
            ({"country": ""}, "This field is required."),
            ({"country": "XX"}, "Select a valid choice."),
            ({"password1": "short"}, "This password is too short."),
            ({"password1": "dora@example.com"}, "too similar to the e-mail address"),
        ],
    )
    def test_says_what_is_wrong(self, client, change, said):
        response = client.post(SIGNUP, DORA | change)

        assert said in response.content.decode()
        assert not User.objects.exists()

    def test_e_mails_name_the_support_contact(self, client):
        client.post(SIGNUP, DORA)

        assert "support@purser.example" in mail.outbox[0].body


class TestSigningIn:
    def test_says_the_same_for_a_wrong_password_and_an_unknown_address(self, client):
        make_user("dora@example.com")
        attempt = {"login": "dora@example.com", "password": "wrong"}

        wrong = client.post(LOGIN, attempt).content.decode()
        unknown = client.post(LOGIN, attempt | {"login": "x@example.com"})

        said = "The email address and/or password you specified are not correct."
        assert said in wrong
        assert said in unknown.content.decode()

    def test_takes_a_confirmed_address(self, client):
        make_user("dora@example.com")

        response = client.post(
            LOGIN, {"login": "dora@example.com", "password": "correct horse"}
        )

        assert response.url == "/accounts/confirm-email/"

    def test_of_a_confirmed_user_leads_to_the_page_that_was_asked_for(self, client):
        user = make_user("dora@example.com")
        EmailAddress.objects.create(user=user, email=user.email, verified=True)

        response = client.post(
            f"{LOGIN}?next=/team/",
            {"login": "dora@example.com", "password": "correct horse"},
        )

        assert response.url == "/team/"

    def test_stops_guessing_of_passwords(self, client):
        make_user("dora@example.com")
        attempt = {"login": "dora@example.com", "password": "wrong"}

        for _attempt in range(10):
            client.post(LOGIN, attempt)
        response = client.post(LOGIN, attempt | {"password": "correct horse"})

        assert "Too many failed login attempts." in response.content.decode()


class TestPasswordReset:
    def test_looks_the_same_for_an_unknown_address(self, client):
        make_user("dora@example.com")
        reset = "/accounts/password/reset/"

        known = client.post(reset, {"email": "dora@example.com"})
        unknown = client.post(reset, {"email": "nobody@example.com"})

        assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


class TestSigningUpFromAnInvitation:
    def test_asks_for_no_organization_and_joins_when_confirmed(
        self, client, invitation_link
    ):
        client.get(invitation_link)
        form = client.get(SIGNUP).context["form"]
        client.post(SIGNUP, {k: v for k, v in DORA.items() if k != "organization"})
        joined_before = Membership.objects.filter(user__email=DORA["email"].lower())
        before = joined_before.count()
        confirm(client)

        assert "organization" not in form.fields
        assert before == 0
        membership = Membership.objects.get(user__email="dora@example.com")
        assert membership.role == Role.BILLING
        assert client.get("/team/").wsgi_request.account.name == "Northwind Studio"

    def test_in_another_browser_offers_to_join_after_signing_in(
        self, client, invitation_link
    ):
        client.get(invitation_link)
        client.post(SIGNUP, {k: v for k, v in DORA.items() if k != "organization"})
        phone = Client()
        confirm(phone)
        phone.post(LOGIN, {"login": DORA["email"], "password": DORA["password1"]})

        offer = phone.get("/team/", follow=True)
        [waiting] = offer.context["invitations"]
        response = phone.post("/account/join/", {"invitation": waiting.pk})

        assert "Join Northwind Studio" in offer.content.decode()
        assert response.url == "/"
        assert phone.get("/team/").status_code == 200

    def test_with_another_address_joins_nothing(self, client, invitation_link):
        client.get(invitation_link)
        client.post(SIGNUP, DORA | {"email": "eve@example.com"})
        confirm(client)

        assert not Membership.objects.filter(user__email="eve@example.com").exists()
        assert client.get("/team/").url == "/account/new/"
