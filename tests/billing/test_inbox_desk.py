"""What staff do with the inbox: nothing is lost, and all of it is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing.models import IGNORED_BY_STAFF, SubjectState, WebhookEvent, WebhookSubject
from billing.webhooks import desk, inbox, registry
from credits import audits
from tests.billing.test_inbox import deliver, made_up
from tests.conftest import NOW
from tests.factories import make_staff

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def things(monkeypatch):
    """A handler that fails as long as `things.error` is one."""

    class Things:
        error: Exception | None = RuntimeError("bad")
        looks = 0

        def fetch(self, object_id: str) -> str:
            self.looks += 1
            if self.error:
                raise self.error
            return object_id

    things = Things()
    handler = registry.Handler("thing", (), things.fetch, lambda _, *, at: "done")
    monkeypatch.setitem(registry._handlers, "thing", handler)
    return things


@pytest.fixture
def ada(db):
    return make_staff(StaffGroup.ADMIN)


def failing(number: int = 1) -> WebhookSubject:
    subject_id = deliver(made_up(number, object_id=f"obj_{number}"))
    inbox.look_at(subject_id, at=NOW)
    return WebhookSubject.objects.get(pk=subject_id)


class TestStates:
    def test_are_found_as_they_are_called(self, things):
        class UnknownAccount(Exception):
            """As what following raises."""

        deliver(made_up(1, object_id="waiting"))
        inbox.look_at(deliver(made_up(2, object_id="failing")), at=NOW)
        things.error = UnknownAccount("who?")
        inbox.look_at(deliver(made_up(3, object_id="unknown")), at=NOW)
        inbox.look_at(deliver(made_up(4, "weather", "ignored")), at=NOW)
        things.error = None
        inbox.look_at(deliver(made_up(5, object_id="done")), at=NOW)

        found = {
            str(subject): state
            for state in SubjectState
            for subject in desk.subjects(state=state).subjects
        }

        assert found == {state.lower(): state for state in SubjectState}
        assert {str(one): one.state for one in WebhookSubject.objects.all()} == found


class TestSubjects:
    def test_are_found_by_the_id_of_an_object_or_an_event(self, things):
        failing(1)
        failing(2)

        assert [str(one) for one in desk.subjects(named="obj_1").subjects] == ["obj_1"]
        assert [str(one) for one in desk.subjects(named="evt_2").subjects] == ["obj_2"]

    def test_come_newest_first_in_pages(self, things, monkeypatch):
        monkeypatch.setattr(desk, "_LISTED", 2)
        for number in (1, 2, 3):
            failing(number)

        first = desk.subjects(kind="thing")
        second = desk.subjects(kind="thing", before=first.next_before)

        assert [str(one) for one in first.subjects] == ["obj_3", "obj_2"]
        assert [str(one) for one in second.subjects] == ["obj_1"]
        assert second.next_before is None


class TestAttention:
    def test_is_asked_for_by_what_fails_and_by_what_waits_too_long(self, things):
        failing(1)
        deliver(made_up(2, object_id="obj_2"))

        assert desk.attention(NOW + MINUTE) == 1
        assert desk.attention(NOW + 16 * MINUTE) == 2

    def test_is_not_asked_for_by_what_is_done(self, things):
        things.error = None
        failing()

        assert desk.attention(NOW + 16 * MINUTE) == 0


class TestStuck:
    def findings(self, monkeypatch, at):
        monkeypatch.setattr("billing.audits.now", lambda: at)
        return [found.text for found in audits.verify() if found.check.startswith("I6")]

    def test_is_found_by_verify_ledger(self, things, monkeypatch):
        failing()

        assert self.findings(monkeypatch, NOW + 15 * MINUTE) == []
        [finding] = self.findings(monkeypatch, NOW + 16 * MINUTE)
        assert finding.startswith("thing obj_1 waits since 2026-03-10 12:00")
        assert finding.endswith("looked at 1 times: RuntimeError: bad")

    def test_is_no_more_once_it_was_ignored(self, things, ada, monkeypatch):
        desk.ignore(failing(), reason="A test of theirs", by=ada, at=NOW)

        assert self.findings(monkeypatch, NOW + 16 * MINUTE) == []

    def test_raises_an_alarm_once(self, things, caplog):
        subject, at = failing(), NOW
        for _ in range(9):
            at = WebhookSubject.objects.get().next_attempt_at
            inbox.look_at(subject.pk, at=at)

        alarms = [one for one in caplog.records if one.levelname == "ERROR"]
        assert len(alarms) == 1


class TestReplay:
    def test_looks_again_at_once(self, things, ada):
        subject = failing()
        things.error = None

        seen = desk.replay(subject, by=ada, at=NOW + MINUTE / 6)

        assert (seen.state, seen.outcome) == (SubjectState.DONE, "done")
        assert WebhookEvent.objects.get().outcome == "done"

    def test_that_fails_is_kept_as_before(self, things, ada):
        seen = desk.replay(failing(), by=ada, at=NOW + MINUTE / 6)

        assert (seen.state, seen.attempts) == (SubjectState.FAILING, 2)

    def test_of_what_is_done_is_harmless(self, things, ada):
        things.error = None
        subject = failing()

        seen = desk.replay(subject, by=ada, at=NOW)

        assert seen.state == SubjectState.DONE
        assert things.looks == 2

    def test_is_written_down(self, things, ada):
        desk.replay(failing(), by=ada, at=NOW)

        event = AuditEvent.objects.get()
        assert (event.action, event.actor_id) == ("inbox.replayed", ada.pk)
        assert event.target == "obj_1"


class TestIgnore:
    def test_ends_the_attempts_and_deletes_nothing(self, things, ada):
        subject = desk.ignore(failing(), reason="A test of theirs", by=ada, at=NOW)

        assert inbox.due_subjects(limit=9, at=NOW + timedelta(days=9)) == []
        assert subject.state == SubjectState.IGNORED
        assert WebhookEvent.objects.get().outcome == IGNORED_BY_STAFF

    def test_keeps_the_reason_and_the_error_for_good(self, things, ada):
        desk.ignore(failing(), reason="A test of theirs", by=ada, at=NOW)

        event = AuditEvent.objects.get()
        assert (event.action, event.reason) == ("inbox.ignored", "A test of theirs")
        assert event.before == {"state": "FAILING", "error": "RuntimeError: bad"}

    def test_lasts_until_stripe_tells_of_it_again(self, things, ada):
        desk.ignore(failing(), reason="A test of theirs", by=ada, at=NOW)
        things.error = None

        inbox.look_at(deliver(made_up(2)), at=NOW)

        assert WebhookSubject.objects.get().state == SubjectState.DONE
        outcomes = WebhookEvent.objects.order_by("round").values_list("outcome")
        assert [one for (one,) in outcomes] == [IGNORED_BY_STAFF, "done"]

    def test_beats_a_look_that_is_going_on(self, things, ada, monkeypatch):
        subject_id = deliver(made_up())

        def fetch(object_id: str) -> str:
            subject = WebhookSubject.objects.get()
            desk.ignore(subject, reason="A test of theirs", by=ada, at=NOW)
            return object_id

        monkeypatch.setattr(things, "error", None)
        monkeypatch.setitem(
            registry._handlers,
            "thing",
            registry.Handler("thing", (), fetch, lambda _, *, at: "done"),
        )
        inbox.look_at(subject_id, at=NOW)

        assert WebhookSubject.objects.get().outcome == IGNORED_BY_STAFF

    def test_of_what_is_done_is_refused(self, things, ada):
        things.error = None

        with pytest.raises(desk.NothingWaits):
            desk.ignore(failing(), reason="A test of theirs", by=ada, at=NOW)


class TestPayload:
    def test_hides_secrets(self, things):
        event = made_up()
        event["data"]["object"]["client_secret"] = "pi_1_secret_2"
        event["data"]["object"]["lines"] = [{"secret": ""}]
        subject = WebhookSubject.objects.get(pk=deliver(event))

        [told] = desk.events_of(subject)

        assert "pi_1_secret_2" not in told.payload
        assert '"client_secret": "•••"' in told.payload
        assert '"secret": ""' in told.payload


class TestDueSince:
    def test_is_when_the_oldest_round_began(self, things):
        deliver(made_up(1))
        deliver(made_up(2), at=NOW + MINUTE)

        assert WebhookSubject.objects.get().due_since == NOW

    def test_begins_anew_with_an_event_during_a_look(self, things, monkeypatch):
        subject_id = deliver(made_up(1))

        def fetch(object_id: str) -> str:
            if things.looks == 0:
                deliver(made_up(2), at=NOW)
            things.looks += 1
            return object_id

        things.error = None
        handler = registry.Handler("thing", (), fetch, lambda _, *, at: "done")
        monkeypatch.setitem(registry._handlers, "thing", handler)
        inbox.look_at(subject_id, at=NOW)

        subject = WebhookSubject.objects.get()
        assert (things.looks, subject.due_since) == (2, None)
