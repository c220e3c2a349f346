"""What staff do with the inbox: see what waits and why, look again, or let it be.

Nothing is ever deleted. What is ignored is so until Stripe tells of it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from accounts import auditing
from billing import work_items
from billing.models import (
    IGNORED_BY_STAFF,
    SubjectState,
    WebhookEvent,
    WebhookSubject,
    WorkKind,
    WorkState,
)
from billing.stripe_gateway import BillingError
from billing.webhooks import inbox

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

_LISTED, _EVENTS_SHOWN = 50, 20
_MASK = "•••"


class NothingWaits(BillingError):
    """It was looked at in the meantime: there is nothing to ignore."""


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """Subjects, newest first, and the number to go on from."""

    subjects: list[WebhookSubject]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event as the desk shows it."""

    event: WebhookEvent
    payload: str


def subjects(
    *,
    state: SubjectState | None = None,
    kind: str = "",
    named: str = "",
    before: int | None = None,
) -> SubjectPage:
    """Return a page of subjects in a state, of a kind, or of one id.

    `named` is the id of an object, or of an event that told of it.
    """
    found = WebhookSubject.objects.all()
    if state:
        found = found.in_state(state)
    if kind:
        found = found.filter(kind=kind)
    if named:
        event = WebhookEvent.objects.filter(stripe_id=named).values("subject")
        found = found.filter(Q(stripe_object_id=named) | Q(pk__in=event))
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: _LISTED + 1])
    is_more = len(rows) > _LISTED
    return SubjectPage(rows[:_LISTED], rows[_LISTED - 1].pk if is_more else None)


def events_of(subject: WebhookSubject) -> list[ToldEvent]:
    """Return the latest events that told of an object, their secrets masked."""
    latest = subject.events.order_by("-round")[:_EVENTS_SHOWN]
    return [
        ToldEvent(
            event, json.dumps(_masked(event.payload), indent=2, ensure_ascii=False)
        )
        for event in latest
    ]


def attention(at: datetime) -> int:
    """Return how many objects cannot be looked at, or wait for too long."""
    waiting = WebhookSubject.objects
    return (waiting.due().filter(attempts__gt=0) | waiting.stuck(at=at)).count()


def replay(subject: WebhookSubject, *, by: User, at: datetime) -> WebhookSubject:
    """Look at an object again, now; return what became of it. Harmless to repeat."""
    auditing.record(
        action="inbox.replayed",
        actor=by,
        target=subject.stripe_object_id,
        before={"state": subject.state, "error": subject.last_error},
        at=at,
    )
    inbox.look_again(
        object_kind=subject.kind, object_id=subject.stripe_object_id, at=at
    )
    return WebhookSubject.objects.get(pk=subject.pk)


@transaction.atomic
def ignore(
    subject: WebhookSubject, *, reason: str, by: User, at: datetime
) -> WebhookSubject:
    """Let be what Stripe told of an object so far, for a reason that is kept.

    Raises:
        NothingWaits: somebody was faster.
    """
    waiting = WebhookSubject.objects.select_for_update(no_key=True).get(pk=subject.pk)
    if not waiting.is_due:
        raise NothingWaits
    auditing.record(
        action="inbox.ignored",
        actor=by,
        target=waiting.stripe_object_id,
        before={"state": waiting.state, "error": waiting.last_error},
        after={"rounds": waiting.rounds_due - waiting.rounds_done},
        reason=reason,
        at=at,
    )
    waiting.events.filter(handled_at=None).update(
        handled_at=at, outcome=IGNORED_BY_STAFF
    )
    # Whoever looks at it right now finds the lease gone, and changes nothing.
    waiting.rounds_done, waiting.due_since = waiting.rounds_due, None
    waiting.lease, waiting.attempts, waiting.last_error = None, 0, ""
    waiting.outcome = IGNORED_BY_STAFF
    waiting.save()
    work_items.close(
        *(WorkKind.UNKNOWN_WEBHOOK, waiting.stripe_object_id),
        state=WorkState.IGNORED,
        outcome=reason,
        at=at,
    )
    return waiting


def _masked(payload: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    match payload:
        case dict():
            return {
                name: _MASK if value and "secret" in name else _masked(value)
                for name, value in payload.items()
            }
        case list():
            return [_masked(value) for value in payload]
    return payload
