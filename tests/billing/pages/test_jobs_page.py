"""The desk of background jobs in a browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import last_runs
from accounts.last_runs import LastRun
from accounts.models import Notice
from accounts.roles import StaffGroup
from billing.console import due_work
from billing.models import OutgoingKind, Reconciliation
from billing.outgoing import endpoints, facts
from billing.views import staff_jobs
from config.clock import real_now
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
URL = "https://backend.example/hooks"


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    monkeypatch.setattr(staff_jobs, "now", lambda: NOW)


@pytest.fixture
def support(client):
    client.force_login(make_staff(StaffGroup.SUPPORT))
    return client


def wait_for_mail(since) -> None:
    Notice.objects.create(
        key=f"test:{since}", kind="test", created_at=since, next_attempt_at=NOW
    )


def note(ago: timedelta, *, is_good: bool = True) -> None:
    run = LastRun(real_now() - ago, timedelta(milliseconds=1_234), is_good)
    last_runs.note("billing.tasks.sweep", run)


class TestPage:
    def test_is_calm_while_nothing_is_late(self, support):
        wait_for_mail(NOW - 14 * MINUTE)

        page = get(support, "staff_jobs")

        assert "Nothing is late." in page
        assert "14 min" in page
        assert "tone-danger" not in page

    def test_begins_with_what_is_late(self, support):
        wait_for_mail(NOW - 16 * MINUTE)

        page = get(support, "staff_jobs")

        assert "1 job is late." in page
        assert "look whether worker and beat are there" in page
        assert page.index("E-mails to send") < page.index("What Stripe told")
        assert page.count("tone-danger") == 1

    def test_looks_elsewhere_while_tasks_run(self, support):
        wait_for_mail(NOW - 16 * MINUTE)
        note(MINUTE)

        assert "The timetable runs" in get(support, "staff_jobs")

    def test_counts_no_further_than_is_needed(self, support, monkeypatch):
        for module in (due_work, staff_jobs):
            monkeypatch.setattr(module, "MOST", 1)
        for seconds in range(2):
            wait_for_mail(NOW - timedelta(seconds=seconds))

        assert "1+" in get(support, "staff_jobs")

    def test_leads_to_the_desks_that_the_viewer_may_open(self, client, support):
        endpoints.add(url=URL, kinds=OutgoingKind.values, by=None, at=NOW)
        facts.tell_reload_failed(make_account(), reload_id=1, reason="lost", at=NOW)

        of_support = get(support, "staff_jobs")
        client.force_login(make_staff(StaffGroup.ADMIN))
        of_admin = get(client, "staff_jobs")

        webhooks = f'<a href="{reverse("billing:staff_webhooks")}">'
        assert webhooks not in of_support
        assert webhooks in of_admin

    def test_is_counted_on_the_first_page(self, support):
        Reconciliation.objects.create(asked_at=NOW, started_at=NOW, error="Timeout")

        page = support.get(reverse("accounts:staff_home")).content.decode()

        assert "1 waits" in page


class TestTimetable:
    def test_tells_when_a_task_last_ran_and_how_long_it_took(self, support):
        note(40 * MINUTE / 60)

        page = get(support, "staff_jobs")

        assert "40 s ago" in page
        assert "1.234 s" in page
        assert "Runs" in page

    @pytest.mark.parametrize(
        ("ago", "is_good", "said"), [(16, True, "Silent"), (1, False, "Failed")]
    )
    def test_tells_of_silence_and_failure(self, support, ago, is_good, said):
        note(ago * MINUTE, is_good=is_good)

        assert said in get(support, "staff_jobs")

    def test_is_not_known_after_a_flush(self, support):
        assert "Not known" in get(support, "staff_jobs")
