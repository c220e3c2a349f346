from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from accounts import inviting
from accounts.models import Invitation, Membership, Notice, Role
from config.clock import now
from tests.factories import make_user


@pytest.fixture
def link(account, alice, membership):
    inviting.invite(
        account=account,
        email="dora@example.com",
        role=Role.ADMIN,
        by=membership(alice),
        at=now(),
    )
    return re.findall(r"(/invitations/\S+)", Notice.objects.get().text)[0]


@pytest.fixture
def dora(db):
    user = make_user("dora@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True)
    return user


class TestInvitationPage:
    def test_shows_a_visitor_what_is_offered_and_two_ways_in(self, link, client):
        page = client.get(link).content.decode()

        assert "Join Northwind Studio" in page
        assert "with the role Admin" in page
        assert "/accounts/signup/?email=dora%40example.com" in page
        assert f"/accounts/login/?next={link}" in page

    def test_lets_the_invited_join(self, link, dora, account, as_user):
        client = as_user(dora)
        page = client.get(link).content.decode()
        response = client.post(link)

        assert ">Join</button>" in page
        assert (response.status_code, response.url) == (303, "/")
        assert Membership.objects.get(user=dora).account == account
        team = client.get("/team/").content.decode()
        assert "You are now in the team of Northwind Studio." in team

    def test_tells_somebody_else_what_to_do(self, link, carol, as_user):
        client = as_user(carol)
        page = client.get(link).content.decode()
        response = client.post(link)

        assert "You are signed in as carol@example.com." in page
        assert "This invitation is for dora@example.com." in response.content.decode()
        assert not Invitation.objects.get().accepted_at

    def test_does_not_join_a_visitor(self, link, client):
        assert "Create a sign-in" in client.post(link).content.decode()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"accepted_at": now()}, "This invitation has been used."),
            ({"revoked_at": now()}, "This invitation was taken back."),
            ({"expires_at": now() - timedelta(1)}, "This invitation has expired."),
        ],
    )
    def test_says_why_it_is_closed(self, link, client, change, said):
        Invitation.objects.update(**change)

        response = client.get(link)

        assert response.status_code == 410
        assert said in response.content.decode()

    @pytest.mark.django_db
    def test_of_no_invitation_is_not_found(self, client):
        assert client.get("/invitations/AAAAAAAAAAAAAAAAAAAAAA/").status_code == 404


class TestNewAccount:
    def test_makes_the_user_an_owner_and_goes_there(self, dora, as_user):
        client = as_user(dora)

        response = client.post("/account/new/", {"name": "Dora & Co", "country": "CH"})

        assert (response.status_code, response.url) == (303, "/")
        assert client.get("/team/").wsgi_request.account.name == "Dora & Co"

    def test_needs_a_name(self, dora, as_user):
        response = as_user(dora).post("/account/new/", {"name": " "})

        assert response.status_code == 422
        assert "This field is required." in response.content.decode()

    def test_can_be_a_second_one(self, alice, as_user):
        client = as_user(alice)

        client.post("/account/new/", {"name": "Second", "country": "CH"})

        page = client.get("/team/").content.decode()
        assert "Switch account" in page
        assert alice.memberships.count() == 2


class TestJoin:
    def test_takes_an_invitation_to_oneself(self, link, carol, as_user):
        response = as_user(carol).post(
            "/account/join/", {"invitation": Invitation.objects.get().pk}
        )

        assert response.status_code == 404
