"""The reconciliation desk in a browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing.models import Break, BreakKind, BreakState, Reconciliation
from billing.reconciling import reading, recording, running
from billing.reconciling.comparing import differences
from billing.views import staff_reconciliation
from tests.billing.drift import SOWN, credits_of, lived
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import make_staff

LATER = NOW + timedelta(days=1, hours=2)


@pytest.fixture(autouse=True)
def _at_later(monkeypatch):
    monkeypatch.setattr(staff_reconciliation, "now", lambda: LATER)


@pytest.fixture
def history(wire):
    return lived(wire)


@pytest.fixture
def finance(client, db):
    client.force_login(make_staff(StaffGroup.FINANCE))
    return client


def recorded(history, kind: BreakKind) -> Break:
    SOWN[kind](history)
    history.later(timedelta(hours=1))
    books = reading.read(None)
    recording.record(differences(books, at=history.at), since=None, at=history.at)
    return Break.objects.get()


def send(browser, name: str, found: Break, **form):
    return browser.post(reverse(f"billing:{name}", args=[found.public_id]), form)


class TestList:
    def test_shows_open_breaks_by_kind_and_age(self, finance, history):
        recorded(history, BreakKind.AMOUNT_DIFFERS)

        page = get(finance, "staff_reconciliation")

        assert "Amount differs: 1" in page
        assert "1 h" in page
        assert history.account.name in page

    def test_shows_the_last_comparison(self, finance, history):
        running.run(running.ask(since=None, by=None, at=history.at), at=history.at)

        page = get(finance, "staff_reconciliation")

        assert "Stripe's objects" in page
        assert "None is in this state." in page

    def test_is_counted_on_the_first_page(self, finance, history):
        recorded(history, BreakKind.AMOUNT_DIFFERS)

        page = finance.get(reverse("accounts:staff_home")).content.decode()

        assert "1 waits" in page

    def test_lets_support_look_only(self, client, db):
        client.force_login(make_staff(StaffGroup.SUPPORT))

        assert "Your group may only look here." in get(client, "staff_reconciliation")
        asked = client.post(reverse("billing:staff_reconcile"), {"days": "3"})
        assert asked.status_code == 403


class TestCompareNow:
    def test_asks_for_a_comparison(self, finance, history):
        finance.post(reverse("billing:staff_reconcile"), {"days": "30"})

        asked = Reconciliation.objects.get()
        assert asked.since == LATER - timedelta(days=30)
        assert "under way" in get(finance, "staff_reconciliation")


class TestBreak:
    def test_shows_both_sides_and_what_to_do(self, finance, history):
        found = recorded(history, BreakKind.AMOUNT_DIFFERS)

        page = get(finance, "staff_break", found.public_id)

        assert "$14.99" in page
        assert "$15.00" in page
        assert "Stripe&#x27;s is what moved" in page

    def test_is_repaired_by_a_click(self, finance, history):
        found = recorded(history, BreakKind.PAID_WITHOUT_GRANT)

        send(finance, "staff_break_repair", found)

        page = get(finance, "staff_break", found.public_id)
        assert "Repaired" in page
        [purchase] = history.account.purchases.exclude(pk=history.purchase.pk)
        assert credits_of(purchase) == 200

    def test_offers_no_repair_where_somebody_has_to_decide(self, finance, history):
        found = recorded(history, BreakKind.DOUBLE_GRANT)

        assert "/repair/" not in get(finance, "staff_break", found.public_id)
        send(finance, "staff_break_repair", found)
        assert "somebody has to decide" in get(finance, "staff_break", found.public_id)

    def test_is_ignored_for_a_reason_only(self, finance, history):
        found = recorded(history, BreakKind.AMOUNT_DIFFERS)

        assert send(finance, "staff_break_ignore", found).status_code == 422
        send(finance, "staff_break_ignore", found, reason="A cent.")

        found.refresh_from_db()
        assert (found.state, found.note) == (BreakState.IGNORED, "A cent.")
        assert AuditEvent.objects.get(action="break.ignored").reason == "A cent."

    def test_has_somebody_who_looks_after_it(self, finance, history):
        found = recorded(history, BreakKind.AMOUNT_DIFFERS)

        send(finance, "staff_break_note", found, is_mine="on", note="Asked Stripe.")

        found.refresh_from_db()
        assert found.owner.groups.get().name == StaffGroup.FINANCE
        assert "Asked Stripe." in get(finance, "staff_reconciliation")
        send(finance, "staff_break_note", found, note="")
        found.refresh_from_db()
        assert found.owner is None
