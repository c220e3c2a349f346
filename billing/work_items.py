"""What is put into the work queue where it happens, and what leaves it by itself.

The same thing is one row. Seen again it is counted, once a minute at most: a backend
that asks in a loop costs a read each time and no write.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from billing.models import WorkItem, WorkKind, WorkState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from accounts.models import Notice
    from credits.models import Hold
    from credits.settling import Unbilled

log = structlog.get_logger(__name__)

_ONCE_IN = timedelta(minutes=1)
# Features are named by whoever asks: a loop over made-up names must not fill a table.
_MOST_MISSING_RATES = 200


def note_missing_rate(
    *, rate_plan: str, version: int | None, feature: str, at: datetime
) -> None:
    """Queue a feature that was refused for want of a rate (R97).

    An empty feature: no card of the rate plan is in force at all.
    """
    subject = f"{rate_plan}:{feature}"[:120]
    missing = WorkItem.objects.filter(kind=WorkKind.MISSING_RATE)
    is_full = missing.filter(state=WorkState.OPEN).count() >= _MOST_MISSING_RATES
    if is_full and not missing.filter(subject=subject).exists():
        log.error("work_queue_full", subject=subject)
        return
    facts = {"rate_plan": rate_plan, "version": version, "feature": feature}
    _see(WorkKind.MISSING_RATE, subject, facts=facts, at=at)


def note_unbilled(hold: Hold, unbilled: Unbilled, *, at: datetime) -> None:
    """Queue a job that ran and cannot be charged: its hold had timed out (R72)."""
    facts = {
        "reference": hold.reference,
        "why": unbilled.why,
        "lines": [
            [line.feature, line.quantity, line.rate_version, line.credits]
            for line in unbilled.lines
        ],
    }
    _see(
        WorkKind.UNBILLED_JOB,
        hold.public_id,
        facts=facts,
        account_id=hold.wallet.account_id,
        credits=unbilled.credits,
        at=at,
    )


def note_absorbed(*, hold: Hold, feature: str, credits: int, at: datetime) -> None:
    """Add what a job cost above its quote to its feature's item of the day (R71)."""
    day = at.date().isoformat()
    with transaction.atomic():
        item, is_new = _locked(
            WorkKind.ABSORBED_COST, f"{day}:{feature}", at=at, account_id=None
        )
        item.facts = {"day": day, "feature": feature, "hold": hold.public_id}
        item.credits += credits
        item.times_seen += not is_new
        _open_again(item, at)
        item.save()


def note_unknown_webhook(
    *, object_kind: str, object_id: str, error: str, at: datetime
) -> None:
    """Queue an object of Stripe's that belongs to nobody here (R98)."""
    facts = {"object_kind": object_kind, "error": error}
    _see(WorkKind.UNKNOWN_WEBHOOK, object_id, facts=facts, at=at)


def note_undelivered(notice: Notice, *, at: datetime) -> None:
    """Queue an address that e-mails do not reach."""
    facts = {"subject": notice.subject, "error": notice.last_error}
    address = notice.recipient.lower()[:120]
    account_id = notice.account_id
    _see(WorkKind.UNDELIVERED_MAIL, address, facts=facts, account_id=account_id, at=at)


def close(
    kind: WorkKind,
    subject: str,
    *,
    outcome: str,
    at: datetime,
    state: WorkState = WorkState.DONE,
) -> None:
    """Close an item that nothing has to be done about any more, if there is one."""
    WorkItem.objects.filter(kind=kind, subject=subject, state=WorkState.OPEN).update(
        state=state, outcome=outcome[:500], closed_at=at
    )


def waiting(_at: datetime) -> int:
    """Return how many items wait for somebody."""
    return WorkItem.objects.filter(state=WorkState.OPEN).count()


def _see(
    kind: WorkKind,
    subject: str,
    *,
    facts: Mapping[str, object],
    at: datetime,
    account_id: int | None = None,
    credits: int = 0,
) -> None:
    just_seen = WorkItem.objects.filter(
        kind=kind, subject=subject, last_seen_at__gt=at - _ONCE_IN, facts=facts
    )
    if just_seen.exclude(state=WorkState.DONE).exists():
        return
    with transaction.atomic():
        item, is_new = _locked(kind, subject, at=at, account_id=account_id)
        item.facts, item.credits = dict(facts), credits
        item.times_seen += not is_new
        _open_again(item, at)
        item.save()


def _locked(
    kind: WorkKind, subject: str, *, at: datetime, account_id: int | None
) -> tuple[WorkItem, bool]:
    item, is_new = WorkItem.objects.get_or_create(
        kind=kind,
        subject=subject,
        defaults={"account_id": account_id, "first_seen_at": at, "last_seen_at": at},
    )
    return WorkItem.objects.select_for_update(no_key=True).get(pk=item.pk), is_new


def _open_again(item: WorkItem, at: datetime) -> None:
    """Open what was done and is seen again; what is ignored stays so."""
    item.last_seen_at = max(item.last_seen_at, at)
    if item.state == WorkState.DONE:
        item.state, item.outcome, item.closed_at = WorkState.OPEN, "", None
        item.first_seen_at = at
