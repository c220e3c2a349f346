"""Runs of the reconciliation: hourly, or when somebody asks for one."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

import structlog
from django.db import connection

from accounts import auditing
from billing import stripe_gateway
from billing.finance import stripe_balance
from billing.models import Break, BreakKind, BreakState, Reconciliation
from billing.reconciling import (
    bills,
    missed,
    purchases,
    reading,
    recording,
    repairing,
)
from billing.reconciling.comparing import differences
from billing.reconciling.findings import chunks
from billing.webhooks import inbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from accounts.models import User

log = structlog.get_logger(__name__)

_EVERY, _LOOKS_BACK = timedelta(hours=1), timedelta(hours=72)
# Stripe lists its events for a month.
_EVENTS_KEPT = timedelta(days=30)
_JUST_PAID = timedelta(hours=2)
_RECONCILING = 0x7265636F6E  # an advisory lock: any number, but always the same
# What R55 promises to bring without anybody's decision.
_BY_ITSELF = (BreakKind.PAID_WITHOUT_GRANT,)


class RunsAlready(stripe_gateway.BillingError):
    """Another comparison is under way: it will find the same."""


def ask(*, since: datetime | None, by: User | None, at: datetime) -> Reconciliation:
    """Ask for a comparison, which begins within a minute; one at most waits."""
    waiting, is_new = Reconciliation.objects.get_or_create(
        started_at=None, defaults={"since": since, "asked_by": by, "asked_at": at}
    )
    if is_new and by:
        auditing.record(
            action="reconciliation.asked",
            actor=by,
            after={"since": since and since.isoformat()},
            at=at,
        )
    return waiting


def run_due(*, at: datetime) -> Reconciliation | None:
    """Make the comparison that somebody waits for, or that of the hour; or none.

    Raises:
        StripeUnavailable: it is made again in an hour, or when somebody asks.
    """
    waiting = Reconciliation.objects.filter(started_at=None).first()
    if waiting is None:
        lately = Reconciliation.objects.filter(started_at__gt=at - _EVERY)
        if lately.exists():
            return None
        waiting = ask(since=at - _LOOKS_BACK, by=None, at=at)
    try:
        return run(waiting, at=at)
    except RunsAlready:
        return None


def run(
    asked: Reconciliation, *, repairs_all: bool = False, at: datetime
) -> Reconciliation:
    """Receive what was missed, compare, write down what differs, repair what is safe.

    Credits that were paid for are always brought (R55), the rest with `repairs_all`.

    Raises:
        RunsAlready: another one is under way.
        StripeUnavailable: Stripe did not say all; nothing was written down.
    """
    with _alone():
        asked.started_at = at
        asked.save(update_fields=["started_at"])
        try:
            _run(asked, repairs_all=repairs_all, at=at)
        except Exception as failure:
            asked.error = f"{type(failure).__name__}: {failure}"[:500]
            raise
        finally:
            asked.finished_at = at
            asked.save()
    log.info("reconciled", compared=asked.compared, found=asked.found)
    return asked


def bring_what_was_paid(*, at: datetime) -> int:
    """Look again at each payment of late that has brought no credits (R55).

    Returns how many there were. Looking too early is harmless.

    Raises:
        StripeUnavailable: ask again.
    """
    since = at - _JUST_PAID
    findings = chain(
        purchases.of_payments(stripe_gateway.booked_payments(since)),
        bills.of_invoices(stripe_gateway.booked_invoices(since)),
    )
    unpaid = [one for one in findings if one.kind in _BY_ITSELF and one.repair[0]]
    for one in unpaid:
        kind, object_id = one.repair
        inbox.look_again(object_kind=kind, object_id=object_id, at=at)
    return len(unpaid)


def open_breaks(_at: datetime) -> int:
    """Return how many breaks are open."""
    return Break.objects.filter(state=BreakState.OPEN).count()


def _run(asked: Reconciliation, *, repairs_all: bool, at: datetime) -> None:
    oldest = at - _EVENTS_KEPT
    asked.missed = missed.receive_missed(
        since=max(asked.since or oldest, oldest), at=at
    )
    books = reading.read(asked.since)
    found = differences(books, at=at)
    for chunk in chunks(books.movements):
        stripe_balance.keep(chunk, at=at)
    recording.record(found, since=asked.since, at=at)
    asked.compared, asked.found = books.size, len(found)
    asked.repaired = _repair(None if repairs_all else _BY_ITSELF, at)


def _repair(kinds: tuple[BreakKind, ...] | None, at: datetime) -> int:
    breaks = Break.objects.filter(state=BreakState.OPEN).exclude(repair_kind="")
    repaired = 0
    for one in (breaks.filter(kind__in=kinds) if kinds else breaks).order_by("pk"):
        try:
            repairing.repair(one, by="system", at=at)
        except repairing.NotRepaired as refused:
            log.warning("break_not_repaired", subject=one.subject, why=str(refused))
        else:
            repaired += 1
    return repaired


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_RECONCILING])
        [is_ours] = cursor.fetchone()
    if not is_ours:
        raise RunsAlready("A comparison is under way already.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_RECONCILING])
