from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from accounts.models import AuditEvent
from accounts.roles import STAFF_PERMISSIONS, StaffGroup
from accounts.staff_access import permissions_of
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db

MODELS = [
    "account",
    "auditevent",
    "invitation",
    "membership",
    "notice",
    "servicekey",
    "user",
]


@pytest.fixture
def ada():
    """A superuser: even she only reads here."""
    return make_user("ada@example.com", is_staff=True, is_superuser=True)


class TestStaffLimits:
    def test_are_set_by_superusers_and_written_down(self, ada, as_user):
        grace = make_staff(StaffGroup.ADMIN)
        limits = {"user": grace.pk, "per_adjustment": 50, "per_day": 100}

        as_user(ada).post("/admin/accounts/stafflimit/add/", limits)

        assert grace.staff_limit.per_adjustment == 50
        [event] = AuditEvent.objects.filter(action="staff_limit.changed")
        assert (event.target, event.after["per_day"]) == (grace.email, 100)

    def test_are_closed_to_other_staff(self, as_user):
        client = as_user(make_staff(StaffGroup.ADMIN))

        assert client.get("/admin/accounts/stafflimit/add/").status_code == 403


class TestAdmin:
    @pytest.mark.parametrize("address", ["/admin/", "/admin/login/"])
    def test_has_no_sign_in_of_its_own(self, client, address):
        response = client.get(address, follow=True)

        assert response.request["PATH_INFO"] == "/accounts/login/"

    def test_refuses_those_who_are_not_staff(self, alice, as_user):
        client = as_user(alice)

        assert client.get("/admin/", follow=True).status_code == 403

    @pytest.mark.parametrize("model", MODELS)
    def test_shows_rows_and_changes_none(self, ada, as_user, account, model):
        client = as_user(ada)

        assert client.get(f"/admin/accounts/{model}/").status_code == 200
        assert client.get(f"/admin/accounts/{model}/add/").status_code == 403

    def test_has_no_button_that_writes(self, ada, account, as_user):
        client = as_user(ada)
        page = client.get(f"/admin/accounts/account/{account.pk}/change/")

        assert account.name in page.content.decode()
        assert 'name="_save"' not in page.content.decode()
        assert (
            client.post(f"/admin/accounts/account/{account.pk}/delete/").status_code
            == 403
        )


class TestStaffInTheAdmin:
    def give(self, client, user, *groups: StaffGroup):
        return client.post(
            f"/admin/accounts/user/{user.pk}/change/",
            {
                "is_active": "on",
                "is_staff": "on",
                "groups": [Group.objects.get(name=name).pk for name in groups],
            },
        )

    def test_is_made_by_a_superuser(self, ada, alice, as_user):
        response = self.give(as_user(ada), alice, StaffGroup.SUPPORT)

        alice.refresh_from_db()
        assert response.status_code == 302
        assert permissions_of(alice) == STAFF_PERMISSIONS[StaffGroup.SUPPORT]

    def test_is_written_down_before_and_after(self, ada, as_user):
        theo = make_staff(StaffGroup.SUPPORT)

        self.give(as_user(ada), theo, StaffGroup.FINANCE)

        event = AuditEvent.objects.get(action="staff.changed")
        assert (event.actor_id, event.target) == (ada.pk, theo.email)
        assert event.before["groups"] == ["STAFF_SUPPORT"]
        assert event.after["groups"] == ["STAFF_FINANCE"]

    def test_cannot_make_itself_more(self, as_user):
        theo = make_staff(StaffGroup.ADMIN)

        response = self.give(as_user(theo), theo, *StaffGroup)

        assert response.status_code == 403

    def test_shows_no_password(self, ada, alice, as_user):
        page = as_user(ada).get(f"/admin/accounts/user/{alice.pk}/change/")

        assert "alice@example.com" in page.content.decode()
        assert alice.password not in page.content.decode()
