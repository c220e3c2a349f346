"""The inbox: each event stored once, each object of Stripe's looked at until it is new.

An event is only a hint that an object changed. Looking at an object is three steps:
claim a lease (committed), fetch the object's present state (no transaction), apply it
in one transaction that first checks the lease. So order, duplicates and versions of
events do not matter, and whoever dies in between is replaced when the lease ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import structlog
from django.db import DataError, transaction
from django.db.models import F

from accounts import auditing
from billing import stripe_gateway, work_items
from billing.customers import UnknownAccount
from billing.models import IGNORED, WebhookEvent, WebhookSubject, WorkKind
from billing.payments import UnknownPayment
from billing.webhooks.registry import handler_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from billing.stripe_gateway import StripeEvent

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
_FIRST_RETRY_AFTER, _LONGEST_RETRY_AFTER = timedelta(seconds=30), timedelta(hours=6)
_ALARM_AFTER = 5
_GONE = "gone"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to look at an object for a while, for the rounds that were due."""

    subject_id: int
    object_id: str
    object_kind: str
    rounds: int
    attempts: int
    lease: UUID


class LeaseLost(Exception):
    """Somebody else looks at the object by now: what was fetched may be old."""


@transaction.atomic
def receive(event: StripeEvent, *, at: datetime) -> int:
    """Store an event once and return the id of the subject that is due for a look.

    Raises:
        NotFromStripe: the database cannot hold what it says.
    """
    # Under its lock the same event cannot be stored twice.
    subject = _locked_subject(event.object_kind, event.object_id, at)
    if not WebhookEvent.objects.filter(stripe_id=event.id).exists():
        _store(event, subject, at)
    return subject.pk


def due_subjects(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of subjects that wait for a look, longest due first."""
    due = WebhookSubject.objects.filter(
        rounds_done__lt=F("rounds_due"), next_attempt_at__lte=at
    ).order_by("next_attempt_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_again(*, object_kind: str, object_id: str, at: datetime) -> None:
    """Look at one of Stripe's objects though no event told of it.

    For whoever has just changed it, or has heard nothing for too long. If somebody is
    looking at the moment, another round of theirs follows.
    """
    with transaction.atomic():
        subject = _locked_subject(object_kind, object_id, at)
        _ask_for_round(subject, at)
        subject.save()
    look_at(subject.pk, at=at)


def look_at(subject_id: int, *, at: datetime) -> None:
    """Look at one of Stripe's objects until no event asks for another round.

    Failures are kept with the subject, which is due again later; nothing is lost.
    """
    while claim := _claim(subject_id, at):
        try:
            _apply(claim, _fetch(claim), at)
        except LeaseLost:
            log.info("lease_lost", subject=claim.object_id)
        except Exception as failure:  # noqa: BLE001 - of any kind: it is tried again
            _postpone(claim, failure, at)


def _locked_subject(object_kind: str, object_id: str, at: datetime) -> WebhookSubject:
    WebhookSubject.objects.bulk_create(
        [
            WebhookSubject(
                stripe_object_id=object_id, kind=object_kind, next_attempt_at=at
            )
        ],
        ignore_conflicts=True,
    )
    return WebhookSubject.objects.select_for_update(no_key=True).get(
        stripe_object_id=object_id
    )


def _ask_for_round(subject: WebhookSubject, at: datetime) -> None:
    subject.rounds_due += 1
    subject.due_since = subject.due_since or at
    if subject.lease is None:
        # During a look this is when its lease ends; at other times news end a wait.
        subject.next_attempt_at = min(subject.next_attempt_at, at)


def _store(event: StripeEvent, subject: WebhookSubject, at: datetime) -> None:
    _ask_for_round(subject, at)
    try:
        with transaction.atomic():
            WebhookEvent.objects.create(
                stripe_id=event.id,
                kind=event.kind,
                subject=subject,
                round=subject.rounds_due,
                api_version=event.api_version,
                is_live=event.is_live,
                payload=event.payload,
                received_at=at,
            )
    except DataError as unstorable:
        message = "The event holds characters that no JSON in a database can."
        raise stripe_gateway.NotFromStripe(message) from unstorable
    subject.save()


def _claim(subject_id: int, at: datetime) -> Claim | None:
    """Take the lease if the subject is due; one statement decides who gets it."""
    lease = uuid4()
    claimed = WebhookSubject.objects.filter(
        pk=subject_id, rounds_done__lt=F("rounds_due"), next_attempt_at__lte=at
    ).update(lease=lease, next_attempt_at=at + LEASE)
    if not claimed:
        return None
    subject = WebhookSubject.objects.get(pk=subject_id)
    return Claim(
        subject_id=subject_id,
        object_id=subject.stripe_object_id,
        object_kind=subject.kind,
        rounds=subject.rounds_due,
        attempts=subject.attempts,
        lease=lease,
    )


def _fetch(claim: Claim) -> Callable[[datetime], str]:
    """Ask Stripe for the object and return what is to be done about it."""
    handler = handler_for(claim.object_kind)
    if handler is None:
        return lambda _: IGNORED
    try:
        fetched: Any = handler.fetch(claim.object_id)
    except stripe_gateway.NotAtStripe:
        return lambda _: _GONE
    return lambda at: handler.apply(fetched, at=at)


@transaction.atomic
def _apply(claim: Claim, act: Callable[[datetime], str], at: datetime) -> None:
    subject = _leased(claim)
    outcome = act(at)
    subject.events.filter(round__lte=claim.rounds, handled_at=None).update(
        handled_at=at, outcome=outcome
    )
    subject.rounds_done, subject.lease = claim.rounds, None
    # An event that came during the look waits since about now.
    subject.due_since, subject.outcome = at if subject.is_due else None, outcome
    subject.next_attempt_at, subject.attempts, subject.last_error = at, 0, ""
    subject.save()
    if claim.attempts:
        known = WorkKind.UNKNOWN_WEBHOOK, claim.object_id
        work_items.close(*known, outcome=outcome, at=at)


@transaction.atomic
def _postpone(claim: Claim, failure: Exception, at: datetime) -> None:
    # An error, which is an alarm, once: by now it should have passed by itself.
    tell = log.error if claim.attempts == _ALARM_AFTER else log.warning
    tell("look_failed", subject=claim.object_id, exc_info=failure)
    try:
        subject = _leased(claim)
    except LeaseLost:
        return
    pause = min(_FIRST_RETRY_AFTER * 2 ** min(claim.attempts, 10), _LONGEST_RETRY_AFTER)
    subject.attempts, subject.lease = claim.attempts + 1, None
    subject.next_attempt_at = at + pause
    subject.last_error = f"{type(failure).__name__}: {failure}"[:500]
    subject.save()
    if isinstance(failure, (UnknownAccount, UnknownPayment)):
        work_items.note_unknown_webhook(
            object_kind=claim.object_kind,
            object_id=claim.object_id,
            error=subject.last_error,
            at=at,
        )
    if claim.attempts == _ALARM_AFTER:
        auditing.record(
            action="stripe.not_applied",
            actor="stripe",
            target=subject.stripe_object_id,
            reason=subject.last_error,
            at=at,
        )


def _leased(claim: Claim) -> WebhookSubject:
    subject = WebhookSubject.objects.select_for_update(no_key=True).get(
        pk=claim.subject_id
    )
    if subject.lease != claim.lease:
        raise LeaseLost
    return subject
