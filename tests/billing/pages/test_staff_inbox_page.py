"""The inbox desk in a browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing.models import WebhookSubject
from billing.views import staff_inbox
from billing.webhooks import inbox
from tests.billing.pages.conftest import get
from tests.billing.test_inbox import deliver, made_up
from tests.conftest import NOW
from tests.factories import make_staff


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    monkeypatch.setattr(staff_inbox, "now", lambda: NOW)


@pytest.fixture
def as_group(client, db):
    def sign_in(group: StaffGroup):
        client.force_login(make_staff(group))
        return client

    return sign_in


@pytest.fixture
def support(as_group):
    return as_group(StaffGroup.SUPPORT)


@pytest.fixture
def lost(wire) -> WebhookSubject:
    """A subscription that Stripe cannot be asked about at the moment."""
    wire.fail_next("500", on="GET")
    told = made_up(kind="subscription", object_id="sub_1")
    subject_id = deliver(told)
    inbox.look_at(subject_id, at=NOW)
    return WebhookSubject.objects.get(pk=subject_id)


def send(browser, name: str, subject, **form):
    return browser.post(reverse(f"billing:{name}", args=[subject.pk]), form)


class TestInboxPage:
    def test_lists_what_fails_with_its_error(self, support, lost):
        page = get(support, "staff_inbox", state="FAILING")

        assert "sub_1" in page
        assert "StripeUnavailable" in page

    def test_leaves_out_what_is_in_another_state(self, support, lost):
        assert "Nothing here" in get(support, "staff_inbox", state="DONE")

    def test_takes_no_notice_of_what_nobody_can_ask(self, support, lost):
        assert "sub_1" in get(support, "staff_inbox", state="LOST", before="x")

    def test_is_counted_on_the_first_page(self, support, lost):
        page = support.get(reverse("accounts:staff_home")).content.decode()

        assert "1 waits" in page


class TestSubjectPage:
    def test_shows_what_stripe_told(self, support, lost):
        page = get(support, "staff_inbox_subject", lost.pk)

        assert "subscription.updated" in page
        assert "&quot;id&quot;: &quot;sub_1&quot;" in page

    def test_offers_nothing_to_those_who_may_only_look(self, as_group, lost):
        page = get(as_group(StaffGroup.FINANCE), "staff_inbox_subject", lost.pk)

        assert "Your group may only look here." in page
        assert "Look again" not in page


class TestReplay:
    def test_says_what_came_of_it(self, support, lost):
        response = send(support, "staff_inbox_replay", lost)

        page = support.get(response.url).content.decode()
        assert response.status_code == 303
        assert "Looked at: gone." in page

    def test_says_what_is_still_wrong(self, support, lost, wire):
        wire.fail_next("500", on="GET")

        response = send(support, "staff_inbox_replay", lost)

        page = support.get(response.url).content.decode()
        assert "Not done: StripeUnavailable" in page


class TestIgnore:
    def test_needs_a_reason(self, support, lost):
        response = send(support, "staff_inbox_ignore", lost, reason="no")

        assert response.status_code == 422
        assert WebhookSubject.objects.get().is_due

    def test_is_done_with_one(self, support, lost):
        response = send(support, "staff_inbox_ignore", lost, reason="Theirs, not ours")

        page = support.get(response.url).content.decode()
        assert "Ignored, until Stripe tells of it again." in page
        assert AuditEvent.objects.get().reason == "Theirs, not ours"

    def test_twice_is_told(self, support, lost):
        send(support, "staff_inbox_ignore", lost, reason="Theirs, not ours")

        response = send(support, "staff_inbox_ignore", lost, reason="Theirs again")

        assert "Nothing waits here" in support.get(response.url).content.decode()
