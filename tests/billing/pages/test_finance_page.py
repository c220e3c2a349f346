"""The pages of finance: a month, the rows behind its numbers, and closing it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from accounts.templatetags import units
from billing import portal_clock
from billing.finance.months import Month
from billing.models import ClosedMonth
from credits import ledger
from credits.models import GrantSource
from tests.conftest import NOW
from tests.factories import job, make_staff, make_wallet

pytestmark = pytest.mark.django_db
MARCH, APRIL = Month(date(2026, 3, 1)), Month(date(2026, 4, 1))
SURE = {"reason": "All is settled.", "is_sure": "on"}


@pytest.fixture(autouse=True)
def in_april():
    """A day of April; there have been credits since March."""
    make_wallet(grants={"plan": (500, timedelta(days=60))})
    portal_clock.move(NOW + timedelta(days=31))


@pytest.fixture
def finance(client):
    client.force_login(
        make_staff(StaffGroup.FINANCE),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def month(client, code: str = "2026-03", **query) -> str:
    response = client.get(reverse("billing:finance"), {"month": code, **query})
    assert response.status_code == 200
    return response.content.decode()


def drill_of(link: str) -> str:
    return link.partition("drill=")[2].partition("/")[0]


def close(client, code: str = "2026-03", **sent):
    return client.post(reverse("billing:close_month", args=[code]), SURE | sent)


class TestTheMonth:
    def test_is_the_last_one_that_is_over(self, finance):
        page = finance.get(reverse("billing:finance")).content.decode()

        assert "March 2026</h1>" in " ".join(page.split()).replace(" </h1>", "</h1>")
        assert "Figures as of the end of the month, 1 Apr 2026, 00:00 UTC" in page

    def test_that_runs_says_as_of_when(self, finance):
        page = month(finance, "2026-04")

        assert "The month is not over. Figures as of 10 Apr 2026" in page
        assert "Close the month" not in page

    @pytest.mark.parametrize("by", ["", "whole", "plan", "source", "nothing"])
    def test_is_split_as_the_address_says(self, finance, by):
        assert "Credits we owe" in month(finance, by=by)

    @pytest.mark.parametrize("code", ["2026-05", "2026-13", "x"])
    def test_that_has_not_begun_is_not_found(self, finance, code):
        response = finance.get(reverse("billing:finance"), {"month": code})

        assert response.status_code == 404


class TestNumbers:
    @pytest.fixture
    def lived(self):
        """Credits that were paid for: some used, some expired, some still owed."""
        wallet = make_wallet()
        for key, days in (("a", 10), ("b", 100)):
            ledger.grant(
                wallet_id=wallet.pk,
                source=GrantSource.PURCHASE,
                source_key=key,
                credits=100,
                cost_basis_cents=1_000,
                effective_at=NOW,
                expires_at=NOW + timedelta(days=days),
                actor="test",
                at=NOW,
            )
        ledger.spend(job(wallet, credits=60), at=NOW)
        ledger.expire_wallet(wallet_id=wallet.pk, at=NOW + timedelta(days=11))
        april = NOW + timedelta(days=25)
        ledger.spend(job(wallet, credits=10, key="april"), at=april)

    @pytest.mark.parametrize("code", ["2026-03", "2026-04"])
    def test_lead_to_the_rows_that_make_them(self, finance, lived, code):
        links = re.findall(r'href="([^"]+drill=[^"]+)">([^<]+)<', month(finance, code))

        assert {drill_of(link) for link, _ in links} >= {
            *("ledger", "owed", "deferred", "breakage"),
        }
        for link, number in links:
            total = finance.get(unescape(link)).context["total"].amount
            said = units.money(abs(total.cents), "usd"), units.credits(total.credits)
            assert number.lstrip(units.MINUS) in said, link


class TestRows:
    @pytest.mark.parametrize(
        "query",
        [
            {"drill": "none-such"},
            {"drill": "ledger"},
            {"drill": "ledger/USED", "after": "x"},
            {"drill": "ledger/U\0"},
        ],
    )
    def test_of_no_number_are_not_found(self, finance, query):
        response = finance.get(reverse("billing:finance_rows"), query)

        assert response.status_code == 404


class TestClosing:
    def test_says_first_what_it_means(self, finance):
        page = finance.get(reverse("billing:preview_closing", args=["2026-03"]))

        assert "posted in April 2026" in page.content.decode()
        assert not ClosedMonth.objects.exists()

    def test_is_done_once_and_written_down(self, finance):
        response = close(finance)
        again = close(finance)

        assert (response.status_code, again.status_code) == (303, 303)
        assert ClosedMonth.objects.get().month == MARCH.first
        event = AuditEvent.objects.get()
        assert (event.action, event.target) == ("month.closed", "2026-03")
        assert event.reason == "All is settled."
        assert "Closed" in month(finance)

    def test_needs_to_be_meant(self, finance):
        response = close(finance, is_sure="")

        assert response.status_code == 422
        assert not ClosedMonth.objects.exists()

    def test_waits_for_the_months_end(self, finance):
        close(finance)

        page = close(finance, "2026-04")

        assert page.status_code == 303
        assert ClosedMonth.objects.count() == 1
        assert "It can be closed an hour after its end." in month(finance, "2026-04")
