"""Webhooks to the product's backend: signed, kept with the fact, sent until heard."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import AuditEvent, Notice, User
from billing.models import (
    Delivery,
    DeliveryAttempt,
    OutgoingKind,
    OutgoingMessage,
    WebhookEndpoint,
)
from billing.outgoing import endpoints, facts, sending, signing
from billing.outgoing.endpoints import AddressRefused
from credits import alerting, alerts, ledger
from credits.models import GrantSource, Wallet
from tests.billing.conftest import on_plan
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import job, make_account, make_user, make_wallet

pytestmark = pytest.mark.django_db
REAL = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Backend:
    """The product's backend: hears, and answers as the test says."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.heard.append((dict(self.headers.items()), body))
                status = outer.statuses.pop(0) if outer.statuses else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks?from=purser"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self) -> list[dict]:
        return [json.loads(body) for _, body in self.heard]


@pytest.fixture
def backend():
    backend = Backend()
    yield backend
    backend.close()


@pytest.fixture
def endpoint(backend) -> WebhookEndpoint:
    return endpoints.add(url=backend.url, kinds=OutgoingKind.values, by=None, at=NOW)


def send_all(at=NOW) -> int:
    sent = 0
    while sending.send_next(at=at, signed_at=REAL):
        sent += 1
    return sent


def happen(key: str = "1") -> Delivery:
    """Let something be told."""
    facts.tell_reload_failed(
        make_account(), reload_id=int(key), reason="expired_card", at=NOW
    )
    return Delivery.objects.order_by("-pk").first()


def verify(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver does it, by the specification alone."""
    key = b64decode(secret.split("_", 1)[1])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(
        version == "v1" and hmac.compare_digest(value, expected)
        for version, value in given
    )


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


class TestFacts:
    def test_of_credits_that_were_granted(self, backend, endpoint, offered):
        account = on_plan("business")
        send_all()

        [granted] = [
            body for body in backend.bodies() if body["type"] == "credits.granted"
        ]
        assert granted == {
            "type": "credits.granted",
            "timestamp": NOW.isoformat(),
            "data": {
                "account": account.public_id,
                "unit": "CREDITS",
                "source": "PLAN",
                "credits": 1_500,
                "balance": 1_500,
                "expires_at": "2026-05-10T12:00:00+00:00",
            },
        }

    def test_are_kept_with_what_happened_or_not_at_all(self, endpoint):
        wallet = make_wallet()
        with transaction.atomic():
            grant(wallet)
            assert OutgoingMessage.objects.count() == 1
            transaction.set_rollback(True)

        assert not OutgoingMessage.objects.exists()
        grant(wallet)
        grant(wallet)  # a repetition
        assert OutgoingMessage.objects.count() == 1

    def test_of_a_balance_below_a_threshold(self, backend, endpoint):
        wallet = make_wallet(grants={"plan": (100, 30 * DAY)})
        alerts.change(
            wallet=wallet,
            thresholds=[500, 200],
            expiry_days=[],
            emails=[],
            by=make_user(),
            at=NOW,
        )
        alerting.raise_low_balances([wallet.pk], at=NOW)
        send_all()

        assert backend.bodies()[-1]["type"] == "balance.low"
        assert backend.bodies()[-1]["data"] == {
            "account": wallet.account.public_id,
            "available": 100,
            "threshold": 200,
        }

    def test_of_a_balance_that_is_used_up_once_for_each_grant(self, backend, endpoint):
        wallet = make_wallet(grants={"plan": (100, 30 * DAY)})
        assert facts.tell_used_up(limit=9, at=NOW) == 0
        ledger.spend(job(wallet, 100), at=NOW)

        assert [facts.tell_used_up(limit=9, at=NOW) for _ in range(2)] == [1, 0]
        grant(wallet)
        ledger.spend(job(wallet, 50), at=NOW)

        assert [facts.tell_used_up(limit=9, at=NOW) for _ in range(2)] == [1, 0]

    def test_of_a_plan_as_it_begins_changes_and_ends(self, backend, endpoint, wire):
        plans, account = Plans(wire), make_account()
        subscription = plans.subscribe(account, "creator")
        wire.client().v1.subscriptions.cancel(subscription.stripe_subscription_id)
        plans.hear()
        send_all()

        told = [body for body in backend.bodies() if body["type"] == "plan.changed"]
        assert [one["data"]["plan"] for one in told] == ["creator", "free"]
        assert {one["data"]["account"] for one in told} == {account.public_id}

    def test_of_other_kinds_are_not_told(self, backend):
        endpoints.add(
            url=backend.url, kinds=[OutgoingKind.PLAN_CHANGED], by=None, at=NOW
        )

        grant(make_wallet())

        assert not OutgoingMessage.objects.exists()

    def test_cost_one_query_when_nobody_listens(self, django_assert_num_queries):
        wallet = make_wallet()

        with django_assert_num_queries(2):
            grant(wallet)


def grant(wallet: Wallet) -> None:
    ledger.grant(
        wallet_id=wallet.pk,
        source=GrantSource.PROMO,
        source_key=f"promo:{wallet.pk}",
        credits=50,
        cost_basis_cents=0,
        effective_at=NOW,
        expires_at=None,
        actor="test",
        at=NOW,
    )


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


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://backend.example/hooks",
            "ftp://backend.example/hooks",
            "https://user@backend.example/",
            "https://backend.example/#part",
            "https://169.254.169.254/latest",
            "https://[fe80::1]/",
            "https://",
            "//backend.example",
            "https://backend.example:port/",
        ],
    )
    def test_that_is_unsafe_is_refused(self, url):
        with pytest.raises(AddressRefused):
            endpoints.add(url=url, kinds=["balance.low"], by=None, at=NOW)

        assert not WebhookEndpoint.objects.exists()

    def test_of_this_machine_needs_tls_in_production(self, settings):
        endpoints.require_safe("http://127.0.0.1:9000/")
        settings.IS_PRODUCTION = True

        with pytest.raises(AddressRefused, match="https://"):
            endpoints.require_safe("http://127.0.0.1:9000/")

    def test_is_told_once(self, endpoint, backend):
        with pytest.raises(AddressRefused, match="told already"):
            endpoints.add(url=backend.url, kinds=["balance.low"], by=None, at=NOW)

        endpoints.remove(endpoint, by=make_user(), at=NOW)
        endpoints.add(url=backend.url, kinds=["balance.low"], by=None, at=NOW)

    def test_that_is_removed_hears_no_more(self, backend, endpoint):
        happen()

        endpoints.remove(endpoint, by=make_user(), at=NOW)

        assert send_all(NOW + DAY) == 0
        assert not Delivery.objects.exclude(next_attempt_at=None).exists()


class TestCommand:
    def test_adds_an_endpoint_and_shows_its_secret(self, capsys):
        call_command(
            "add_webhook_endpoint", "https://backend.example/hooks", "balance.low"
        )

        endpoint = WebhookEndpoint.objects.get()
        assert signing.current_secret(endpoint) in capsys.readouterr().out
        assert endpoint.kinds == ["balance.low"]


class TestDatabase:
    def test_holds_no_secret(self, endpoint):
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_jsonb(e)::text FROM billing_webhookendpoint AS e")
            [row] = cursor.fetchone()

        secret = signing.current_secret(endpoint).removeprefix("whsec_")
        assert secret not in row
