"""Breaks: what a comparison found, one row for the same difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from billing.models import Break, BreakKind, BreakState
from billing.reconciling.findings import chunks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.reconciling.findings import Finding


@transaction.atomic
def record(
    findings: Sequence[Finding], *, since: datetime | None, at: datetime
) -> None:
    """Write down what was found, and close what is gone.

    `since` is how far back was looked; what is older stays as it was. One that was
    ignored stays so while its figures are the same.
    """
    known = {(one.kind, one.subject): one for one in _known(findings)}
    Break.objects.bulk_create(
        _new(one, at) for one in findings if (one.kind, one.subject) not in known
    )
    for one in findings:
        if row := known.get((one.kind, one.subject)):
            _see_again(row, one, at)
    Break.objects.bulk_update(
        known.values(),
        [
            *("account", "here", "at_stripe", "happened_at", "repair_kind"),
            *("repair_id", "state", "first_seen_at", "last_seen_at", "closed_at"),
        ],
        batch_size=500,
    )
    gone = Break.objects.filter(state=BreakState.OPEN, last_seen_at__lt=at)
    if since:
        # Plans are always looked at, however old they are.
        is_plan = Q(kind=BreakKind.SUBSCRIPTION_DIFFERS)
        gone = gone.filter(Q(happened_at__gte=since) | is_plan)
    gone.update(state=BreakState.GONE, closed_at=at)


def _known(findings: Sequence[Finding]) -> list[Break]:
    wanted = {(one.kind, one.subject) for one in findings}
    return [
        row
        for chunk in chunks(one.subject for one in findings)
        for row in Break.objects.select_for_update(no_key=True).filter(
            subject__in=chunk
        )
        if (row.kind, row.subject) in wanted
    ]


def _new(found: Finding, at: datetime) -> Break:
    row = Break(kind=found.kind, subject=found.subject, first_seen_at=at)
    _take_over(row, found, at)
    return row


def _see_again(row: Break, found: Finding, at: datetime) -> None:
    is_same = (row.here, row.at_stripe) == (found.here, found.at_stripe)
    _take_over(row, found, at)
    if row.state == BreakState.OPEN or (row.state == BreakState.IGNORED and is_same):
        return
    row.state, row.first_seen_at, row.closed_at = BreakState.OPEN, at, None


def _take_over(row: Break, found: Finding, at: datetime) -> None:
    row.account_id = found.account_id
    row.here, row.at_stripe = dict(found.here), dict(found.at_stripe)
    row.happened_at, row.last_seen_at = found.happened_at, at
    row.repair_kind, row.repair_id = found.repair
