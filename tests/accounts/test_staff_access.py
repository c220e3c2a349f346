"""The frame of the staff console: who is let in, who is told why not, what is noted."""

from __future__ import annotations

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.http import HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from accounts.models import AuditEvent
from accounts.roles import StaffGroup, StaffPermission
from accounts.staff_access import staff_page
from config import clock
from config.urls import urlpatterns as portal
from tests.factories import make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

HOME = "/staff/"


@require_POST
@staff_page(StaffPermission.MOVE_MONEY, fresh=True)
def refund(request):
    return HttpResponse(f"refunded {request.POST['cents']}")


@staff_page(StaffPermission.MOVE_MONEY)
def refunds(request):
    return HttpResponse("refunds")


urlpatterns = [
    path("staff/refunds/", refunds, name="refunds"),
    path("staff/refund/", refund, name="refund"),
    *portal,
]


@pytest.fixture
def step_up(settings):
    settings.STAFF_STEP_UP = True


@pytest.fixture
def ada():
    """A staff admin with an authenticator app."""
    user = make_staff(StaffGroup.ADMIN)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    return user


def code_of(user):
    """A code that counts as a second factor."""
    return RecoveryCodes(
        user.authenticator_set.get(type="recovery_codes")
    ).get_unused_codes()[0]


class TestStaffPage:
    def test_asks_visitors_to_sign_in(self, client):
        assert client.get(HOME).url == f"/accounts/login/?next={HOME}"

    def test_does_not_exist_for_customers(self, alice, as_user):
        assert as_user(alice).get(HOME).status_code == 404

    def test_opens_to_a_group_that_may(self, as_user):
        response = as_user(make_staff(StaffGroup.ADMIN)).get("/staff/refunds/")

        assert response.content == b"refunds"

    def test_opens_to_a_superuser_without_groups(self, as_user):
        ada = make_user(is_staff=True, is_superuser=True)

        assert as_user(ada).get("/staff/refunds/").status_code == 200

    def test_tells_other_staff_which_group_may(self, as_user):
        response = as_user(make_staff(StaffGroup.SUPPORT)).get("/staff/refunds/")

        page = response.content.decode()
        assert response.status_code == 403
        assert "may: Refund, cancel plans and settle debts" in page
        assert "<li>Staff admin</li>" in page

    def test_tells_staff_without_a_group(self, as_user):
        assert as_user(make_staff()).get(HOME).status_code == 403


class TestDenial:
    def test_of_a_customer_is_written_down(self, alice, as_user):
        as_user(alice).get(HOME)

        denied = AuditEvent.objects.get(action="access.denied")
        assert (denied.actor, denied.target) == (alice.email, f"GET {HOME}")
        assert denied.after == {"permission": "OPEN_CONSOLE"}

    def test_of_staff_is_written_down_once(self, as_user):
        theo = make_staff(StaffGroup.SUPPORT)

        as_user(theo).post("/staff/refund/", {"cents": "100"})

        denied = AuditEvent.objects.get(action="access.denied")
        assert (denied.actor_id, denied.target) == (theo.pk, "POST /staff/refund/")
        assert denied.ip_address == "127.0.0.1"

    def test_is_not_written_of_who_may(self, as_user):
        as_user(make_staff(StaffGroup.ADMIN)).get("/staff/refunds/")

        assert not AuditEvent.objects.exists()


class TestStepUp:
    def test_is_not_asked_for_when_it_is_off(self, ada, as_user):
        response = as_user(ada).post("/staff/refund/", {"cents": "100"})

        assert response.content == b"refunded 100"

    def test_asks_for_the_second_factor(self, ada, as_user, step_up):
        response = as_user(ada).post("/staff/refund/", {"cents": "100"})

        assert response.url == "/accounts/2fa/reauthenticate/?next=%2Fstaff%2Frefund%2F"

    def test_then_does_what_was_sent(self, ada, as_user, step_up):
        client = as_user(ada)
        asked = client.post("/staff/refund/", {"cents": "100"})

        done = client.post(asked.url, {"code": code_of(ada), "next": "/staff/refund/"})

        assert done.content == b"refunded 100"

    def test_does_not_take_a_password_for_it(self, ada, as_user, step_up):
        client = as_user(ada)
        client.post("/staff/refund/", {"cents": "100"})

        client.post("/accounts/reauthenticate/", {"password": "correct horse"})
        again = client.post("/staff/refund/", {"cents": "100"})

        assert again.status_code == 302

    @pytest.mark.parametrize(("age_s", "status"), [(590, 200), (610, 302)])
    def test_counts_for_ten_minutes(self, ada, as_user, step_up, age_s, status):
        client = as_user(ada)
        session = client.session
        session["account_authentication_methods_user"] = str(ada.pk)
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [
            {"method": "mfa", "at": clock.real_now().timestamp() - age_s}
        ]
        session.save()

        response = client.post("/staff/refund/", {"cents": "100"})

        assert response.status_code == status

    def test_asks_staff_without_a_second_factor_to_set_one_up(self, as_user, step_up):
        client = as_user(make_staff(StaffGroup.ADMIN))

        response = client.post("/staff/refund/", {"cents": "100"})

        assert response.status_code == 403
        assert "Nothing was done." in response.content.decode()
        assert AuditEvent.objects.filter(action="access.denied").count() == 1

    def test_is_not_asked_for_to_look_around(self, ada, as_user, step_up):
        assert as_user(ada).get("/staff/refunds/").status_code == 200


class TestHome:
    def test_says_that_step_up_is_off(self, as_user, settings):
        page = as_user(make_staff(StaffGroup.FINANCE)).get(HOME).content.decode()

        assert "STAFF_STEP_UP is off" in page

    def test_shows_only_desks_that_open(self, as_user):
        page = as_user(make_staff(StaffGroup.FINANCE)).get(HOME).content.decode()

        assert reverse("billing:time") in page

    def test_reminds_of_the_second_factor(self, as_user, step_up, monkeypatch):
        monkeypatch.setattr("accounts.context.Portal.is_step_up_off", False)

        page = as_user(make_staff(StaffGroup.ADMIN)).get(HOME).content.decode()

        assert "Set up two-factor sign-in" in page


class TestMenu:
    def test_leads_staff_to_the_console(self, as_user):
        page = as_user(make_staff(StaffGroup.SUPPORT)).get("/accounts/email/")

        assert 'href="/staff/"' in page.content.decode()

    def test_costs_customers_no_query(self, alice, as_user, django_assert_num_queries):
        client = as_user(alice)
        client.get("/keys/")

        # Session, user, accounts, keys.
        with django_assert_num_queries(4):
            page = client.get("/keys/").content.decode()

        assert 'href="/staff/"' not in page
