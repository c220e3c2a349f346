"""The time machine's page: for staff, in the sandbox, forward only."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Role
from accounts.roles import StaffGroup
from billing import portal_clock
from billing.stripe_gateway import sandbox
from config import clock
from tests.billing.conftest import on_plan
from tests.billing.pages.conftest import get
from tests.billing.plans import DAY, Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_staff


@pytest.fixture
def plans(wire):
    with sandbox.behind(wire.door):
        portal_clock.move(NOW)
        yield Plans(wire)


@pytest.fixture
def staff(client, plans):
    """Somebody of the staff, signed in."""
    client.force_login(make_staff(StaffGroup.SUPPORT))
    return client


def travel(browser, **form):
    return browser.post(reverse("billing:travel"), form, follow=True)


class TestTimePage:
    def test_says_what_time_it_is(self, staff):
        assert "10 Mar 2026, 12:00" in get(staff, "time")

    def test_does_not_exist_for_customers(self, browser, plans):
        assert browser.get(reverse("billing:time")).status_code == 404
        assert browser.post(reverse("billing:travel")).status_code == 404

    def test_sends_visitors_to_sign_in(self, client, plans):
        assert "/login/" in client.get(reverse("billing:time")).url


class TestTravel:
    def test_goes_on_by_a_day(self, staff):
        travel(staff, step="day")

        assert clock.now().date() == (NOW + DAY).date()

    def test_shows_what_happened_at_the_next_renewal(self, staff, plans):
        plans.subscribe(make_account("Lumen Films"), "creator")

        page = travel(staff, step="renewal").content.decode()

        assert "10 Apr 2026" in page
        assert "Lumen Films</strong> Credits added: 600" in page

    def test_goes_to_a_day(self, staff):
        travel(staff, step="date", date="2026-03-15")

        assert f"{clock.now():%Y-%m-%d %H:%M}" == "2026-03-15 00:00"

    @pytest.mark.parametrize("date", ["", "soon"])
    def test_needs_a_day(self, staff, date):
        page = travel(staff, step="date", date=date)

        assert page.status_code == 422
        assert clock.now().date() == NOW.date()

    @pytest.mark.parametrize(
        ("date", "sentence"),
        [("2026-03-01", "time only goes on"), ("2027-05-01", "At most 400 days")],
    )
    def test_refuses_what_is_behind_and_too_far(self, staff, date, sentence):
        page = travel(staff, step="date", date=date).content.decode()

        assert sentence in page
        assert clock.now().date() == NOW.date()


class TestBanner:
    def test_is_on_every_page_while_the_clock_is_moved(self, client, plans):
        client.force_login(make_member(on_plan("business"), Role.OWNER))

        page = get(client, "overview")

        assert "The clock is moved: it is now 10 Mar 2026, 12:00" in page

    def test_is_nowhere_else(self, browser):
        assert "The clock is moved" not in get(browser, "overview")
