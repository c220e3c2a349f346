from __future__ import annotations

from datetime import datetime

import pytest
from django.urls import reverse

from accounts import preferences
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
            {
                "name": "Northwind",
                "billing_email": "invoices@example.com",
                "country": "JP",
                "time_zone": "Asia/Tokyo",
            },
        )

        account.refresh_from_db()
        assert (account.name, account.country, account.time_zone) == (
            "Northwind",
            "JP",
            "Asia/Tokyo",
        )
        assert account.billing_email == "invoices@example.com"
        event = AuditEvent.objects.get()
        assert event.before == {
            "name": "Northwind Studio",
            "billing_email": "",
            "country": "",
            "time_zone": "UTC",
        }

    def test_record_nothing_when_nothing_changes(self, account, alice, as_user):
        as_user(alice).post(
            reverse("accounts:save_account"),
            {"name": account.name, "billing_email": "", "time_zone": "UTC"},
        )

        assert not AuditEvent.objects.exists()

    def test_say_what_is_wrong_with_the_account(self, alice, as_user):
        response = as_user(alice).post(
            reverse("accounts:save_account"),
            {"name": "", "billing_email": "nonsense", "time_zone": "Mars/Base"},
        )

        page = response.content.decode()
        assert response.status_code == 422
        assert "Enter a valid email address." in page
        assert "Mars/Base is not one of the available choices." in page


class TestToday:
    @pytest.mark.parametrize(
        ("zone", "at", "starts", "hours"),
        [
            ("UTC", "2026-03-10 12:00", "2026-03-10 00:00", 24),
            ("Asia/Tokyo", "2026-03-10 14:59", "2026-03-09 15:00", 24),
            ("Asia/Tokyo", "2026-03-10 15:00", "2026-03-10 15:00", 24),
            ("Europe/Berlin", "2026-03-29 12:00", "2026-03-28 23:00", 23),
            ("America/New_York", "2026-11-01 12:00", "2026-11-01 04:00", 25),
        ],
    )
    def test_is_a_calendar_day_of_the_zone(self, zone, at, starts, hours):
        today = preferences.today_in(zone, at=datetime.fromisoformat(f"{at}+00:00"))

        assert today.starts_at == datetime.fromisoformat(f"{starts}+00:00")
        assert today.hours == hours

    def test_is_shown_for_a_zone_before_it_is_chosen(self, bob, as_user):
        page = as_user(bob).get("/settings/zone/", {"time_zone": "Asia/Tokyo"})

        assert "In Asia/Tokyo it is" in page.content.decode()
        assert "24 hours." in page.content.decode()

    def test_of_a_zone_that_does_not_exist_is_refused(self, bob, as_user):
        page = as_user(bob).get("/settings/zone/", {"time_zone": "../etc/passwd"})

        assert page.status_code == 400


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
