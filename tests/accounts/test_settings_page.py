from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEvent

SETTINGS = "/settings/"


class TestSettings:
    def test_show_a_member_who_can_change_the_account(self, bob, as_user):
        page = as_user(bob).get(SETTINGS).content.decode()

        assert "These roles do: Owner, Admin." in page
        assert "Save account" not in page

    def test_let_everybody_change_their_name_and_zone(self, bob, as_user):
        client = as_user(bob)

        response = client.post(
            reverse("accounts:save_profile"),
            {"name": "Bob", "time_zone": "Europe/Berlin"},
        )

        bob.refresh_from_db()
        assert (response.status_code, response.url) == (303, SETTINGS)
        assert (bob.name, bob.time_zone) == ("Bob", "Europe/Berlin")
        assert "Your profile is saved." in client.get(SETTINGS).content.decode()

    def test_refuse_a_zone_that_does_not_exist(self, bob, as_user):
        response = as_user(bob).post(
            reverse("accounts:save_profile"), {"name": "Bob", "time_zone": "Mars/Base"}
        )

        assert response.status_code == 422
        assert "Select a valid choice." in response.content.decode()

    def test_let_a_manager_change_the_account(self, account, alice, as_user):
        as_user(alice).post(
            reverse("accounts:save_account"),
            {"name": "Northwind", "billing_email": "invoices@example.com"},
        )

        account.refresh_from_db()
        assert (account.name, account.billing_email) == (
            "Northwind",
            "invoices@example.com",
        )
        event = AuditEvent.objects.get()
        assert event.before == {"name": "Northwind Studio", "billing_email": ""}

    def test_record_nothing_when_nothing_changes(self, account, alice, as_user):
        as_user(alice).post(
            reverse("accounts:save_account"),
            {"name": account.name, "billing_email": ""},
        )

        assert not AuditEvent.objects.exists()

    def test_say_what_is_wrong_with_the_account(self, alice, as_user):
        response = as_user(alice).post(
            reverse("accounts:save_account"), {"name": "", "billing_email": "nonsense"}
        )

        assert response.status_code == 422
        assert "Enter a valid email address." in response.content.decode()


@pytest.mark.django_db
class TestTheme:
    @pytest.mark.parametrize("theme", ["light", "dark", "auto"])
    def test_is_kept_in_a_cookie_for_visitors_too(self, client, theme):
        response = client.post("/theme/", {"theme": theme, "next": "/accounts/login/"})

        cookie = response.cookies["theme"]
        assert (response.status_code, response.url) == (303, "/accounts/login/")
        assert (cookie.value, cookie["samesite"]) == (theme, "Lax")
        page = client.get("/accounts/login/").content.decode()
        assert f'data-bs-theme="{theme}"' in page

    def test_that_does_not_exist_is_refused(self, client):
        assert client.post("/theme/", {"theme": "sepia"}).status_code == 400

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
    )
    def test_never_leads_elsewhere(self, client, elsewhere):
        response = client.post("/theme/", {"theme": "dark", "next": elsewhere})

        assert response.url == "/"

    def test_of_a_forged_cookie_is_auto(self, client):
        client.cookies["theme"] = '"><script>'

        page = client.get("/accounts/login/").content.decode()

        assert 'data-bs-theme="auto"' in page
