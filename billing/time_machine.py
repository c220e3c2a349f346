"""The time machine: the portal's clock and the sandbox's, moved forward together.

It stops wherever something falls due, on either side, and once a day at least. At each
stop it hears what Stripe has told and runs the whole timetable, so that everything
happens in the order in which the months themselves would have brought it. A worker
and beat may run beside it: each row is still worked off by one of them.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Min

from billing import portal_clock, stripe_gateway
from billing.models import Cycle, WebhookSubject
from billing.stripe_gateway import sandbox
from billing.webhooks import inbox
from billing.webhooks.registry import subscribed_events
from config import clock
from credits.models import Wallet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
# What was told just before a journey may not have arrived yet.
_HEARD_LATE = timedelta(hours=1)
# Nothing is: the machine hears everything.
_FINDS_WHAT_WAS_MISSED = (
    "billing.tasks.reconcile",
    "billing.tasks.bring_what_was_paid",
)
_TRAVELING = 0x7075727365  # an advisory lock: any number, but always the same
_OTHERS_TAKE_AT_MOST_S = 5


class CannotTravel(stripe_gateway.BillingError):
    """The clock stays as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Journey:
    """From when to when the clock was moved, and where it stopped on the way."""

    since: datetime
    until: datetime
    stops: tuple[datetime, ...]


@dataclass(slots=True)
class _Ear:
    """Receives each of Stripe's events once, as webhooks would bring it."""

    since: datetime
    last_id: str = ""

    def hear(self) -> int:
        """Receive what was told since last time; return how much that was."""
        news = stripe_gateway.events_after(
            self.last_id, since=self.since, kinds=subscribed_events()
        )
        for event in news:
            inbox.receive(event, at=clock.now())
            self.last_id = event.id
        return len(news)


def travel(
    *, to: datetime, stride: timedelta = _DAY, without: Collection[str] = ()
) -> Journey:
    """Move both clocks forward to an instant, and let happen what falls due.

    Without anything due it stops after each `stride`. Tasks of the timetable that are
    named in `without` are left out.

    Raises:
        CannotTravel: it is later than that, or somebody else is on the way.
        StripeUnavailable: the sandbox does not answer; the clock stands where it was
            last moved to, and the rest of the way can be traveled later.
    """
    _require_sandbox()
    with _alone():
        portal_clock.follow()
        since = clock.now()
        if to < since:
            raise CannotTravel(f"It is {since:%Y-%m-%d %H:%M} UTC: time only goes on.")
        tasks = [name for name in _timetable() if name not in without]
        ear, stops = _Ear(since - _HEARD_LATE), []
        for at in _stops(since, to, stride):
            _work_off(ear, tasks)
            stops.append(at)
        return Journey(since, to, tuple(stops))


def depart(at: datetime) -> None:
    """Make it another time on both sides, and let nothing happen by it.

    Only for a portal without a past, such as the demo that is being made.

    Raises:
        CannotTravel: this is no sandbox.
        StripeUnavailable: the sandbox does not answer.
    """
    _require_sandbox()
    portal_clock.move(at)
    sandbox.move_clock(at)


def _stops(since: datetime, to: datetime, stride: timedelta) -> Iterator[datetime]:
    """Move both clocks from stop to stop; what is due there is the caller's to do."""
    at = since
    while at < to:
        at = _next_stop(at, latest=min(to, at + stride))
        portal_clock.move(at)
        sandbox.move_clock(at)
        yield at


def _next_stop(at: datetime, *, latest: datetime) -> datetime:
    """Return the first instant at which something is due, `latest` at the latest.

    Rows that only ask for another look can wait until then: what is found is dated by
    Stripe or by the ledger, not by the look.
    """
    due = (
        sandbox.next_due_at(),
        Cycle.objects.filter(granted_at=None, starts_at__gt=at).aggregate(
            due=Min("starts_at")
        )["due"],
        Wallet.objects.filter(next_expiry_at__gt=at).aggregate(
            due=Min("next_expiry_at")
        )["due"],
    )
    return min([latest, *(_whole_second(one) for one in due if one and one > at)])


def _whole_second(at: datetime) -> datetime:
    # The sandbox counts seconds, as Stripe does: it must not stop short of what is due.
    return at if not at.microsecond else at.replace(microsecond=0) + _SECOND


def _timetable() -> list[str]:
    # Commands have not looked for tasks yet, as workers do when they start.
    current_app.loader.import_default_modules()
    lines = current_app.conf.beat_schedule.values()
    return [
        line["task"] for line in lines if line["task"] not in _FINDS_WHAT_WAS_MISSED
    ]


def _work_off(ear: _Ear, tasks: Sequence[str]) -> None:
    """Hear what Stripe has told and do what is due, until there is no more of it."""
    ear.hear()
    _run(tasks)
    while ear.hear():
        _run(tasks)


def _run(tasks: Sequence[str]) -> None:
    for name in tasks:
        current_app.tasks[name]()
    _await_others()


def _await_others() -> None:
    """Let a worker that looks at one of Stripe's objects finish before time goes on."""
    deadline = monotonic() + _OTHERS_TAKE_AT_MOST_S
    looking = WebhookSubject.objects.filter(lease__isnull=False)
    while looking.exists() and monotonic() < deadline:
        sleep(0.02)


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_TRAVELING])
        [is_ours] = cursor.fetchone()
    if not is_ours:
        raise CannotTravel("Somebody else is moving the clock at the moment.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_TRAVELING])


def _require_sandbox() -> None:
    if not settings.IS_STRIPE_SANDBOX:
        raise CannotTravel("Stripe's own clock moves for nobody: sandbox mode only.")
