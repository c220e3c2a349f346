from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import inviting
from accounts.models import Invitation, Membership, Role
from config.clock import now
from tests.conftest import NOW
from tests.factories import make_member

TEAM = "/team/"


def shown(client):
    """The messages and the rest of the team page."""
    return client.get(TEAM).content.decode()


class TestTeamPage:
    def test_shows_a_manager_the_controls(self, alice, bob, as_user, membership):
        page = shown(as_user(alice))

        assert "bob@example.com" in page
        assert reverse("accounts:change_role", args=[membership(bob).pk]) in page
        assert "Send invitation" in page

    def test_tells_a_member_who_has_them(self, alice, bob, as_user):
        page = shown(as_user(bob))

        assert "alice@example.com" in page
        assert "These roles do: Owner, Admin." in page
        assert "Send invitation" not in page
        assert "Save the role" not in page

    def test_offers_an_admin_nothing_about_owners(
        self, alice, adam, as_user, membership
    ):
        page = shown(as_user(adam))

        assert reverse("accounts:change_role", args=[membership(adam).pk]) in page
        assert reverse("accounts:change_role", args=[membership(alice).pk]) not in page
        assert '<option value="OWNER"' not in page

    def test_says_which_invitations_have_expired(self, alice, as_user, membership):
        inviting.invite(
            account=membership(alice).account,
            email="dora@example.com",
            role=Role.MEMBER,
            by=membership(alice),
            at=NOW - timedelta(days=365),
        )

        page = shown(as_user(alice))

        assert "dora@example.com" in page
        assert "Expired" in page

    def test_costs_the_same_however_large_the_team(
        self, account, alice, as_user, django_assert_num_queries
    ):
        client = as_user(alice)
        client.get(TEAM)
        for _ in range(5):
            make_member(account, Role.MEMBER)

        with django_assert_num_queries(5):
            client.get(TEAM)


class TestInvite:
    def test_sends_an_invitation(self, alice, as_user):
        client = as_user(alice)

        response = client.post(
            reverse("accounts:invite"), {"email": "Dora@Example.com", "role": "BILLING"}
        )

        assert (response.status_code, response.url) == (303, TEAM)
        assert Invitation.objects.get().email == "dora@example.com"
        assert "The invitation to dora@example.com is on its way." in shown(client)

    @pytest.mark.parametrize(
        ("posted", "said"),
        [
            (
                {"email": "alice@example.com", "role": "MEMBER"},
                "is in the team already",
            ),
            ({"email": "nonsense", "role": "MEMBER"}, "Enter a valid email address."),
            ({"email": "dora@example.com", "role": "KING"}, "Select a valid choice."),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, alice, as_user, posted, said):
        response = as_user(alice).post(reverse("accounts:invite"), posted)

        assert response.status_code == 422
        assert said in response.content.decode()
        assert not Invitation.objects.exists()

    def test_by_an_admin_cannot_make_an_owner(self, adam, as_user):
        response = as_user(adam).post(
            reverse("accounts:invite"), {"email": "dora@example.com", "role": "OWNER"}
        )

        assert response.status_code == 422
        assert not Invitation.objects.exists()


class TestRevokeInvitation:
    def test_closes_the_link(self, alice, as_user, membership):
        invitation = inviting.invite(
            account=membership(alice).account,
            email="dora@example.com",
            role=Role.MEMBER,
            by=membership(alice),
            at=now(),
        )

        response = as_user(alice).post(
            reverse("accounts:revoke_invitation", args=[invitation.pk])
        )

        invitation.refresh_from_db()
        assert response.status_code == 303
        assert invitation.revoked_at


class TestChangeRole:
    def test_says_what_came_of_it(self, alice, bob, as_user, membership):
        client = as_user(alice)
        address = reverse("accounts:change_role", args=[membership(bob).pk])

        response = client.post(address, {"role": "BILLING"})

        assert response.status_code == 303
        assert "bob@example.com has the role Billing now." in shown(client)

    def test_to_what_is_no_role_says_so(self, alice, bob, as_user, membership):
        client = as_user(alice)
        address = reverse("accounts:change_role", args=[membership(bob).pk])

        client.post(address, {"role": "KING"})

        assert "Choose one of the roles." in shown(client)

    def test_explains_that_the_last_owner_stays(self, alice, as_user, membership):
        client = as_user(alice)

        client.post(
            reverse("accounts:change_role", args=[membership(alice).pk]),
            {"role": "MEMBER"},
        )

        assert "Make somebody else an owner first." in shown(client)
        assert membership(alice).role == Role.OWNER


class TestRemoveMember:
    def test_asks_first(self, alice, bob, as_user, membership):
        address = reverse("accounts:remove_member", args=[membership(bob).pk])

        response = as_user(alice).get(address)

        assert "Remove bob@example.com from Northwind Studio?" in (
            response.content.decode()
        )
        assert Membership.objects.filter(user=bob).exists()

    def test_removes_when_confirmed(self, alice, bob, as_user, membership):
        client = as_user(alice)

        client.post(reverse("accounts:remove_member", args=[membership(bob).pk]))

        assert "bob@example.com is no longer in the team." in shown(client)

    def test_explains_why_not(self, alice, as_user, membership):
        client = as_user(alice)

        client.post(reverse("accounts:remove_member", args=[membership(alice).pk]))

        assert "Make somebody else an owner first." in shown(client)
