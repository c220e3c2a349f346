"""The work queue in a browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import StaffGroup
from billing.models import WorkItem, WorkState
from billing.views import staff_queue
from tests.billing.pages.conftest import get
from tests.billing.queued import TWO_DAYS_LATER, top_up, unbilled, wallet_of
from tests.factories import make_staff

pytestmark = pytest.mark.django_db
LATER = TWO_DAYS_LATER + timedelta(days=3)


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    monkeypatch.setattr(staff_queue, "now", lambda: LATER)


@pytest.fixture
def ada(client, db):
    client.force_login(make_staff(StaffGroup.SUPPORT, email="ada@purser.example"))
    return client


@pytest.fixture
def ben(db):
    client = Client()
    client.force_login(make_staff(StaffGroup.SUPPORT, email="ben@purser.example"))
    return client


@pytest.fixture
def item(business):
    return unbilled(business, 10)


def send(browser, name: str, item: WorkItem, **form):
    answer = browser.post(reverse(f"billing:{name}", args=[item.public_id]), form)
    item.refresh_from_db()
    return answer


def page_of(browser, item: WorkItem) -> str:
    return get(browser, "staff_work", item.public_id)


class TestList:
    def test_shows_what_waits_for_how_long_and_for_whom(self, ada, item):
        page = get(ada, "staff_queue")

        assert "Unbilled job" in page
        assert "3 days" in page
        assert "Nobody" in page
        assert item.account.name in page

    def test_shows_one_kind_or_another_state(self, ada, item):
        assert item.public_id in get(ada, "staff_queue", kind="UNBILLED_JOB")
        assert item.public_id not in get(ada, "staff_queue", kind="MISSING_RATE")
        assert item.public_id not in get(ada, "staff_queue", state="DONE")

    def test_is_counted_on_the_first_page(self, ada, item):
        page = ada.get(reverse("accounts:staff_home")).content.decode()

        assert "1 waits" in page

    def test_is_not_for_finance(self, client, db):
        client.force_login(make_staff(StaffGroup.FINANCE))

        assert client.get(reverse("billing:staff_queue")).status_code == 403


class TestItem:
    def test_shows_what_is_known_and_what_to_do(self, ada, item):
        page = page_of(ada, item)

        assert "Charge it now" in page
        assert "10 credits" in page
        assert item.subject in page

    def test_is_taken_by_the_first_of_two_who_saw_it_free(self, ada, ben, item):
        send(ada, "staff_work_take", item, owner="")
        send(ben, "staff_work_take", item, owner="")

        assert item.owner.email == "ada@purser.example"
        assert "ada@purser.example has taken it" in page_of(ben, item)

    def test_is_taken_over_by_whoever_saw_whose_it_is(self, ada, ben, item):
        send(ada, "staff_work_take", item, owner="")

        send(ben, "staff_work_take", item, owner=item.owner_id)

        assert item.owner.email == "ben@purser.example"

    def test_keeps_a_note(self, ada, item):
        send(ada, "staff_work_note", item, note="Asked them to top up.")

        assert "Asked them to top up." in get(ada, "staff_queue")

    def test_is_closed_for_a_reason_only(self, ada, item):
        refused = send(ada, "staff_work_close", item, state="DONE", reason="")
        assert refused.status_code == 422
        assert "Say what was done" in refused.content.decode()

        send(ada, "staff_work_close", item, state="DONE", reason="We waive it.")

        assert (item.state, item.outcome) == (WorkState.DONE, "We waive it.")
        assert "Close it" not in page_of(ada, item)

    def test_is_charged_by_a_click_once_there_are_credits(self, ada, item, business):
        send(ada, "staff_work_charge", item)
        assert "needs 10 credits" in page_of(ada, item)
        top_up(business, 50)

        send(ada, "staff_work_charge", item)
        send(ada, "staff_work_charge", item)

        assert item.state == WorkState.DONE
        assert wallet_of(business).available == 40
