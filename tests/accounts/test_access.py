"""Who may open which page: every address of the app, for every role."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts import inviting, keys
from accounts.models import Invitation, Membership, Role
from accounts.roles import Permission, may
from accounts.urls import urlpatterns
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_user

OPEN = {"theme", "invitation"}
SIGNED_IN = {"new_account", "join", "switch"}
MEMBERS = {"team", "settings", "save_profile", "zone_today"}
STAFF = {"staff_home"}
GUARDED = {
    "save_account": Permission.MANAGE_SETTINGS,
    "invite": Permission.MANAGE_TEAM,
    "revoke_invitation": Permission.MANAGE_TEAM,
    "change_role": Permission.MANAGE_TEAM,
    "remove_member": Permission.MANAGE_TEAM,
    "keys": Permission.MANAGE_KEYS,
    "create_key": Permission.MANAGE_KEYS,
    "revoke_key": Permission.MANAGE_KEYS,
}
READ_ONLY = {"keys", "team", "settings", "zone_today"}


@pytest.fixture
def things(account, alice, membership):
    """The arguments of the addresses that take some: things of the account."""
    member = make_member(account, Role.MEMBER)
    invitation = inviting.invite(
        account=account,
        email="dora@example.com",
        role=Role.MEMBER,
        by=membership(alice),
        at=NOW,
    )
    key = keys.issue(name="Video", scopes=["rates:read"], account=account, at=NOW).key
    return {
        "revoke_invitation": [invitation.pk],
        "change_role": [membership(member).pk],
        "remove_member": [membership(member).pk],
        "revoke_key": [key.public_id],
        "invitation": ["x" * 22],
    }


def visit(client, name, things):
    address = reverse(f"accounts:{name}", args=things.get(name, []))
    return client.get(address) if name in READ_ONLY else client.post(address)


class TestEveryAddress:
    def test_is_in_this_table(self):
        listed = OPEN | SIGNED_IN | MEMBERS | STAFF | set(GUARDED)

        assert {pattern.name for pattern in urlpatterns} == listed

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("name", sorted(GUARDED))
    def test_opens_to_the_roles_that_may(self, things, account, as_user, name, role):
        client = as_user(make_member(account, role))

        response = visit(client, name, things)

        assert (response.status_code != 403) == may(role, GUARDED[name])

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("name", sorted(MEMBERS))
    def test_for_members_opens_to_each_role(self, account, as_user, name, role):
        response = visit(as_user(make_member(account, role)), name, {})

        # 400: without a time zone there is nothing to say of today in it.
        assert response.status_code in {200, 400, 422}

    @pytest.mark.parametrize("name", sorted(SIGNED_IN | MEMBERS | set(GUARDED)))
    def test_asks_visitors_to_sign_in(self, things, client, name):
        response = visit(client, name, things)

        assert response.status_code == 302
        assert response.url.startswith("/accounts/login/?next=/")

    @pytest.mark.parametrize("name", sorted(MEMBERS | set(GUARDED)))
    def test_sends_a_user_without_an_account_to_open_one(self, things, as_user, name):
        response = visit(as_user(make_user()), name, things)

        assert (response.status_code, response.url) == (302, "/account/new/")

    @pytest.mark.parametrize(
        "name", ["revoke_invitation", "change_role", "remove_member", "revoke_key"]
    )
    def test_of_another_accounts_thing_is_not_found(self, things, carol, as_user, name):
        before = list(Membership.objects.values()), list(Invitation.objects.values())

        response = visit(as_user(carol), name, things)

        assert response.status_code == 404
        assert before == (
            list(Membership.objects.values()),
            list(Invitation.objects.values()),
        )

    @pytest.mark.parametrize(
        "name",
        [
            "join",
            "switch",
            "theme",
            "save_profile",
            "save_account",
            "invite",
            "revoke_invitation",
            "change_role",
        ],
    )
    def test_that_writes_refuses_to_be_read(self, things, alice, as_user, name):
        address = reverse(f"accounts:{name}", args=things.get(name, []))

        assert as_user(alice).get(address).status_code == 405


class TestRefusal:
    def test_names_the_roles_that_may(self, bob, as_user):
        response = as_user(bob).get(reverse("accounts:keys"))

        page = response.content.decode()
        assert "you have the role <strong>Member</strong>" in page
        assert "<li>Owner</li><li>Admin</li>" in page.replace("\n", "")


class TestAccountInUse:
    def test_is_the_first_one_until_another_is_chosen(self, alice, as_user, account):
        other = make_account("Contoso")
        Membership.objects.create(account=other, user=alice, role=Role.MEMBER)
        client = as_user(alice)

        first = client.get(reverse("accounts:team")).wsgi_request.account
        client.post(reverse("accounts:switch"), {"public_id": other.public_id})
        second = client.get(reverse("accounts:team")).wsgi_request.account

        assert (first, second) == (account, other)

    def test_cannot_be_somebody_elses(self, alice, carol, as_user):
        foreign = Membership.objects.get(user=carol).account

        response = as_user(alice).post(
            reverse("accounts:switch"), {"public_id": foreign.public_id}
        )

        assert response.status_code == 404

    def test_is_left_when_the_membership_ends(self, alice, as_user, account):
        other = make_account("Contoso")
        Membership.objects.create(account=other, user=alice, role=Role.MEMBER)
        client = as_user(alice)
        client.post(reverse("accounts:switch"), {"public_id": other.public_id})
        Membership.objects.filter(account=other).delete()

        response = client.get(reverse("accounts:team"))

        assert response.wsgi_request.account == account

    def test_costs_one_query_for_page_and_frame(
        self, alice, as_user, django_assert_num_queries
    ):
        client = as_user(alice)
        client.get(reverse("accounts:keys"))

        # Session, user, accounts, keys.
        with django_assert_num_queries(4):
            client.get(reverse("accounts:keys"))
