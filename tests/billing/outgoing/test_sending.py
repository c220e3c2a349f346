"""Webhooks to the product's backend: signed, sent until heard, tried out."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from accounts.models import AuditEvent, Notice, User
from billing.models import DeliveryAttempt, WebhookEndpoint
from billing.outgoing import endpoints, sending, signing
from tests.billing.backends import REAL, happen, send_all, verify
from tests.billing.plans import DAY
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class TestSignature:
    def test_is_that_of_the_specifications_own_example(self):
        signed = signing.signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            b'{"test": 2432232314}',
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            timestamp=1614265330,
        )

        assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_is_verified_by_a_receiver(self, backend, endpoint):
        happen()
        send_all()

        [(headers, body)] = backend.heard
        assert verify(headers, body, signing.current_secret(endpoint))
        assert not verify(headers, body + b" ", signing.current_secret(endpoint))
        assert headers["webhook-timestamp"] == str(int(REAL.timestamp()))
        assert headers["content-type"] == "application/json"

    def test_is_made_with_both_secrets_while_one_is_rolled(self, backend, endpoint):
        old = signing.current_secret(endpoint)
        endpoints.roll(endpoint, by=make_user(), at=NOW)
        new = signing.current_secret(endpoint)
        for key, at in (("1", NOW), ("2", NOW + endpoints.OVERLAP)):
            happen(key)
            send_all(at)

        during, after = backend.heard

        assert old != new
        assert [verify(*during, secret) for secret in (old, new)] == [True, True]
        assert [verify(*after, secret) for secret in (old, new)] == [False, True]

    def test_comes_from_no_row_alone(self, endpoint, settings):
        before = signing.current_secret(endpoint)
        settings.SECRET_KEY = "another"

        assert signing.current_secret(endpoint) != before


class TestSending:
    def test_ends_when_it_has_arrived(self, backend, endpoint):
        delivery = happen()

        assert send_all() == 1
        assert send_all(NOW + 30 * DAY) == 0

        delivery.refresh_from_db()
        assert (delivery.delivered_at, delivery.next_attempt_at) == (NOW, None)
        assert [one.status for one in DeliveryAttempt.objects.all()] == [204]

    @pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
    def test_is_tried_again_under_the_same_id(self, backend, endpoint, status):
        backend.statuses = [status]
        happen()

        send_all()
        assert send_all(NOW + timedelta(seconds=4)) == 0
        assert send_all(NOW + timedelta(seconds=5)) == 1

        ids = [headers["webhook-id"] for headers, _ in backend.heard]
        assert len(ids) == 2
        assert len(set(ids)) == 1

    def test_waits_longer_each_time_and_gives_up_after_three_days(
        self, backend, endpoint
    ):
        backend.statuses = [500] * 99
        delivery, at = happen(), NOW
        while True:
            send_all(at)
            delivery.refresh_from_db()
            if delivery.next_attempt_at is None:
                break
            at = delivery.next_attempt_at

        endpoint.refresh_from_db()
        assert len(backend.heard) == 10
        assert 3 * DAY <= at - NOW < 4 * DAY
        assert endpoint.disabled_reason == "Nothing has arrived there for three days."
        notice = Notice.objects.get(kind="webhook_disabled")
        assert backend.url in notice.text

    def test_to_one_that_wants_no_more_ends_at_once(self, backend, endpoint):
        backend.statuses = [410]
        happen()

        send_all()

        endpoint.refresh_from_db()
        assert endpoint.disabled_at == NOW
        happen("2")
        assert send_all(NOW + DAY) == 0

    def test_goes_on_with_what_waited_when_it_is_enabled(self, backend, endpoint):
        endpoints.disable(endpoint, reason="Moving.", by=make_user(), at=NOW)
        happen()
        assert send_all() == 0

        endpoints.enable(endpoint, by=make_user(), at=NOW)

        assert send_all() == 1

    def test_to_silence_is_tried_again(self, endpoint, backend):
        backend.close()
        happen()

        send_all()

        tried = DeliveryAttempt.objects.get()
        assert tried.status is None
        assert "ConnectionRefusedError" in tried.error
        backend.close = lambda: None

    def test_one_slow_or_dead_sender_keeps_others_away_for_a_minute(self, endpoint):
        delivery = happen()
        sending._claim(NOW)

        assert send_all(NOW + timedelta(seconds=59)) == 0
        assert send_all(NOW + timedelta(seconds=60)) == 1
        delivery.refresh_from_db()
        assert delivery.delivered_at

    def test_again_is_asked_for_by_hand_and_written_down(self, backend, endpoint):
        delivery = happen()
        send_all()

        sending.send_again(delivery, by=make_user("ada@example.com"), at=NOW)
        send_all()

        assert backend.bodies()[0] == backend.bodies()[1]
        assert AuditEvent.objects.get(action="webhook.replayed").actor == (
            "ada@example.com"
        )


class TestTrying:
    def test_sends_a_signed_message_that_tells_of_nothing(self, backend, endpoint):
        answer = try_out(endpoint)

        [(headers, body)] = backend.heard
        assert answer.status == 204
        assert verify(headers, body, signing.current_secret(endpoint))
        assert json.loads(body) == {
            "type": "webhook.test",
            "timestamp": NOW.isoformat(),
            "data": {"endpoint": endpoint.public_id},
        }

    def test_is_in_the_log_and_written_down(self, backend, endpoint):
        try_out(endpoint)

        delivery = endpoint.deliveries.get()
        assert (delivery.delivered_at, delivery.next_attempt_at) == (NOW, None)
        assert delivery.tries.get().status == 204
        event = AuditEvent.objects.get(action="webhook.tested")
        assert (event.actor, event.target) == ("ada@example.com", endpoint.url)

    @pytest.mark.parametrize("status", [410, 500])
    def test_happens_once_and_changes_nothing_of_the_endpoint(
        self, backend, endpoint, status
    ):
        backend.statuses = [status]

        answer = try_out(endpoint)

        assert not answer.is_good
        assert send_all(NOW + 30 * DAY) == 0
        endpoint.refresh_from_db()
        assert (endpoint.failing_since, endpoint.disabled_at) == (None, None)

    def test_that_arrives_ends_no_failing(self, backend, endpoint):
        WebhookEndpoint.objects.update(failing_since=NOW - DAY)

        try_out(endpoint)

        endpoint.refresh_from_db()
        assert endpoint.failing_since == NOW - DAY

    def test_reaches_a_disabled_endpoint(self, backend, endpoint):
        endpoints.disable(endpoint, reason="Moving.", by=make_user(), at=NOW)

        assert try_out(endpoint).is_good

    def test_waits_some_seconds_between_two(self, backend, endpoint):
        try_out(endpoint)

        with pytest.raises(sending.TriedJustNow):
            try_out(endpoint, at=NOW + timedelta(seconds=4))

        try_out(endpoint, at=NOW + timedelta(seconds=5))
        assert len(backend.heard) == 2

    def test_by_a_worker_that_died_is_sent_once_more(
        self, backend, endpoint, monkeypatch
    ):
        backend.statuses = [500]
        monkeypatch.setattr(sending, "_post", die)
        with pytest.raises(SystemExit):
            try_out(endpoint)
        monkeypatch.undo()

        assert send_all(NOW + timedelta(minutes=1)) == 1
        assert send_all(NOW + DAY) == 0


def try_out(endpoint: WebhookEndpoint, at: datetime = NOW) -> sending.Answer:
    ada = User.objects.filter(email="ada@example.com").first()
    return sending.send_test(
        endpoint, by=ada or make_user("ada@example.com"), at=at, signed_at=REAL
    )


def die(*_: object) -> None:
    raise SystemExit
