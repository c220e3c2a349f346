"""Sending webhooks: each delivery by one worker at a time, until it has arrived.

A worker claims a delivery by moving its next attempt into the future and committing
that; then it sends, outside any transaction; then it records. Whoever dies in between
lets the lease run out, and the message is sent again under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from billing.models import TEST_KIND, Delivery, DeliveryAttempt, WebhookEndpoint
from billing.outgoing import announcing, endpoints, signing

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import User

log = structlog.get_logger(__name__)

_TIMEOUT_S = 5
_LEASE = timedelta(minutes=1)
# As the specification advises; three days and some hours in all.
_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_GIVES_UP_AFTER = timedelta(days=3)
_NOT_WANTED = 410
_BETWEEN_TESTS = timedelta(seconds=5)


class TriedJustNow(ValueError):
    """A test went there a moment ago; the message says so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said: a status, or why there was none."""

    status: int | None
    error: str
    took_ms: int

    @property
    def is_good(self) -> bool:
        """Whether the message has arrived. A redirect is no arrival."""
        return self.status is not None and 200 <= self.status < 300


def send_next(*, at: datetime, signed_at: datetime) -> bool:
    """Send what has been due longest; return whether there was anything.

    `signed_at` is real time, which receivers compare with their own clocks.
    """
    delivery = _claim(at)
    if delivery is None:
        return False
    _record(delivery, _post(delivery, signed_at, at), at)
    return True


def due_deliveries(*, at: datetime) -> QuerySet[Delivery]:
    """Return what it is time to send, longest due first."""
    due = Delivery.objects.filter(
        next_attempt_at__lte=at, endpoint__disabled_at=None, endpoint__removed_at=None
    )
    return due.order_by("next_attempt_at", "pk")


@transaction.atomic
def send_again(delivery: Delivery, *, by: User, at: datetime) -> None:
    """Let a message be sent once more, with all its tries, whatever became of it."""
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=0, next_attempt_at=at, delivered_at=None
    )
    auditing.record(
        action="webhook.replayed",
        actor=by,
        account=delivery.message.account,
        target=f"{delivery.message.public_id} to {delivery.endpoint.url}",
        at=at,
    )


def send_test(
    endpoint: WebhookEndpoint, *, by: User, at: datetime, signed_at: datetime
) -> Answer:
    """Try an endpoint out, a disabled one too, and return what it said.

    The message is sent once. Whether it arrives changes nothing of the endpoint.

    Raises:
        TriedJustNow: somebody was faster, or impatient.
    """
    delivery = _begin_test(endpoint, by, at)
    answer = _post(delivery, signed_at, at)
    _record(delivery, answer, at)
    return answer


@transaction.atomic(durable=True)
def _begin_test(endpoint: WebhookEndpoint, by: User, at: datetime) -> Delivery:
    # Two at once wait for each other.
    WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    lately = endpoint.deliveries.filter(
        message__kind=TEST_KIND, message__occurred_at__gt=at - _BETWEEN_TESTS
    )
    if lately.exists():
        raise TriedJustNow(_("A test went there a moment ago. Wait a few seconds."))
    message = announcing.announce_test(endpoint, at=at)
    auditing.record(
        action="webhook.tested",
        actor=by,
        target=endpoint.url,
        after={"message": message.public_id},
        at=at,
    )
    return Delivery.objects.create(
        message=message, endpoint=endpoint, attempts=1, next_attempt_at=at + _LEASE
    )


@transaction.atomic(durable=True)
def _claim(at: datetime) -> Delivery | None:
    due = due_deliveries(at=at).select_related(
        "endpoint__created_by", "message__account"
    )
    delivery = due.select_for_update(of=("self",), skip_locked=True).first()
    if delivery:
        delivery.attempts += 1
        delivery.next_attempt_at = at + _LEASE
        delivery.save(update_fields=["attempts", "next_attempt_at"])
    return delivery


def _post(delivery: Delivery, signed_at: datetime, at: datetime) -> Answer:
    message, endpoint = delivery.message, delivery.endpoint
    body, timestamp = message.body.encode(), int(signed_at.timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "Purser-Webhooks/1",
        "webhook-id": message.public_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.signature(
            message.public_id,
            body,
            signing.secrets_of(endpoint, at=at),
            timestamp=timestamp,
        ),
    }
    began = monotonic()
    try:
        endpoints.require_safe(endpoint.url)
        status, error = _status_of(endpoint.url, body, headers), ""
    except (OSError, HTTPException, ValueError) as failure:
        status, error = None, f"{type(failure).__name__}: {failure}"[:200]
    return Answer(status, error, int((monotonic() - began) * 1000))


def _status_of(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Post, and read no more of the answer than its status: nothing is followed."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    target = parts.path or "/"
    try:
        connection.request(
            "POST", f"{target}?{parts.query}" if parts.query else target, body, headers
        )
        return connection.getresponse().status
    finally:
        connection.close()


@transaction.atomic
def _record(delivery: Delivery, answer: Answer, at: datetime) -> None:
    DeliveryAttempt.objects.create(
        delivery=delivery,
        at=at,
        status=answer.status,
        error=answer.error,
        took_ms=answer.took_ms,
    )
    delivery.delivered_at = at if answer.is_good else None
    delivery.next_attempt_at = _next_attempt(delivery, answer, at)
    delivery.save(update_fields=["delivered_at", "next_attempt_at"])
    if not delivery.message.is_test:
        _note_standing(delivery.endpoint, answer, at)


def _next_attempt(delivery: Delivery, answer: Answer, at: datetime) -> datetime | None:
    is_over = answer.is_good or delivery.message.is_test
    if is_over or delivery.attempts > len(_WAITS):
        return None
    return at + _WAITS[delivery.attempts - 1]


def _note_standing(endpoint: WebhookEndpoint, answer: Answer, at: datetime) -> None:
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    if answer.is_good:
        row.exclude(failing_since=None).update(failing_since=None)
    else:
        row.filter(failing_since=None).update(failing_since=at)
        _give_up_on(endpoint, answer, at)


def _give_up_on(endpoint: WebhookEndpoint, answer: Answer, at: datetime) -> None:
    """Disable an endpoint that wants no more, or where nothing has arrived for days."""
    log.warning("webhook_not_delivered", url=endpoint.url, status=answer.status)
    endpoint.refresh_from_db(fields=["failing_since"])
    since = endpoint.failing_since or at
    if answer.status == _NOT_WANTED:
        reason = _("It answered 410: it wants no more.")
    elif at - since >= _GIVES_UP_AFTER:
        reason = _("Nothing has arrived there for three days.")
    else:
        return
    endpoints.disable(endpoint, reason=reason, by=None, at=at)
