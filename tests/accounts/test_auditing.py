from __future__ import annotations

import pytest
import structlog
from django.db import DatabaseError, connection, connections

from accounts import auditing, keys
from accounts.models import AuditEvent
from tests.conftest import NOW


@pytest.fixture
def event(account, alice):
    return auditing.record(
        action="thing.done",
        actor=alice,
        account=account,
        target="the thing",
        before={"size": 1},
        after={"size": 2},
        reason="It was too small.",
        at=NOW,
    )


class TestRecord:
    def test_keeps_who_did_what_when_and_why(self, event, account, alice):
        event.refresh_from_db()

        assert str(event) == "alice@example.com: thing.done the thing"
        assert (event.actor_id, event.account_id) == (alice.pk, account.pk)
        assert (event.before, event.after) == ({"size": 1}, {"size": 2})
        assert (event.occurred_at, event.reason) == (NOW, "It was too small.")

    def test_names_a_key_by_what_may_be_shown(self, account):
        issued = keys.issue(
            name="Video", scopes=["rates:read"], account=account, at=NOW
        )

        event = auditing.record(action="thing.done", actor=issued.key, at=NOW)

        assert event.actor == f"API key Video ({issued.key.masked})"
        assert event.actor_id is None

    def test_keeps_request_id_and_address(self, account, rf):
        request = rf.get("/", REMOTE_ADDR="203.0.113.7")

        with structlog.contextvars.bound_contextvars(request_id="r-1"):
            event = auditing.record(
                action="thing.done", actor="sweeper", request=request, at=NOW
            )

        assert (event.request_id, event.ip_address) == ("r-1", "203.0.113.7")

    def test_takes_the_address_of_the_request_that_is_being_answered(
        self, alice, as_user
    ):
        as_user(alice).post(
            "/settings/profile/",
            {"name": "Alice", "time_zone": "UTC"},
            REMOTE_ADDR="203.0.113.9",
        )

        event = AuditEvent.objects.get(action="user.changed")
        assert event.ip_address == "203.0.113.9"
        assert len(event.request_id) == 36


class TestAuditTrail:
    @pytest.mark.parametrize(
        "attempt",
        [
            "UPDATE accounts_auditevent SET actor = 'nobody'",
            "DELETE FROM accounts_auditevent",
            "TRUNCATE accounts_auditevent",
            "DROP TRIGGER append_only ON accounts_auditevent",
            "ALTER TABLE accounts_auditevent DISABLE TRIGGER USER",
        ],
    )
    def test_cannot_be_changed_by_the_application(self, event, attempt):
        with (
            pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
            connection.cursor() as cursor,
        ):
            cursor.execute(attempt)

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    @pytest.mark.parametrize(
        "attempt",
        [
            "UPDATE accounts_auditevent SET actor = 'nobody'",
            "DELETE FROM accounts_auditevent",
            "TRUNCATE accounts_auditevent",
        ],
    )
    def test_cannot_be_changed_by_the_owner_unawares(self, event, attempt):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            connections["owner"].cursor() as cursor,
        ):
            cursor.execute(attempt)
