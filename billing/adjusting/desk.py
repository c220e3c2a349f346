"""What the adjustment desk shows: what waits, and what an adjustment changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Case, IntegerField, Q, Value, When
from django.utils.translation import gettext as _

from billing.models import DROPPED, Adjustment, AdjustmentState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

LEVELS = {
    AdjustmentState.PROPOSED: "warning",
    AdjustmentState.APPROVED: "info",
    AdjustmentState.MADE: "success",
    AdjustmentState.REJECTED: "danger",
    AdjustmentState.WITHDRAWN: "neutral",
}
_WAITING = Q(state=AdjustmentState.PROPOSED, approvals_needed__gt=0)


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after."""

    label: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class GrantChange:
    """What remains of one grant before and after."""

    label: str
    expires_at: datetime | None
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A wallet's figures before and after, and the grants that differ."""

    figures: tuple[Change, ...]
    grants: tuple[GrantChange, ...]


def waiting(_at: datetime) -> int:
    """Return how many adjustments wait for somebody else."""
    return Adjustment.objects.filter(_WAITING).count()


def listed(wanted: Mapping[str, str], *, limit: int) -> list[Adjustment]:
    """Return adjustments as wanted, those that wait first, then the newest."""
    first = Case(
        When(_WAITING, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    found = _with_people().order_by(first, "-proposed_at", "-pk")
    return list(found.filter(**wanted)[:limit])


def find(public_id: str) -> Adjustment | None:
    """Return an adjustment with everybody who had to do with it."""
    return _with_people().filter(public_id=public_id).first()


def reversal(adjustment: Adjustment) -> Adjustment | None:
    """Return what reverses an adjustment, unless that was dropped."""
    return adjustment.reversals.exclude(state__in=DROPPED).first()


def comparison(figures: Mapping[str, Any]) -> Comparison:
    """Return what differs between the figures before and after."""
    before, after = figures["before"], figures["after"]
    names = {
        "balance": _("Balance"),
        "available": _("Available"),
        "held": _("On hold"),
        "frozen": _("Frozen"),
        "debt": _("Owed"),
    }
    always = {"balance", "available"}
    return Comparison(
        figures=tuple(
            Change(label, before[name], after[name])
            for name, label in names.items()
            if name in always or before[name] or after[name]
        ),
        grants=_grant_changes(before["grants"], after["grants"]),
    )


def _grant_changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> tuple[GrantChange, ...]:
    were = {grant["id"]: grant for grant in before}
    are = {grant["id"]: grant for grant in after}
    changes = []
    for number, grant in (were | are).items():
        had = were[number]["remaining"] if number in were else 0
        has = are[number]["remaining"] if number in are else 0
        if had != has:
            end = grant["expires_at"]
            expires_at = datetime.fromisoformat(end) if end else None
            changes.append(GrantChange(grant["label"], expires_at, had, has))
    return tuple(changes)


def _with_people() -> QuerySet[Adjustment]:
    return Adjustment.objects.select_related(
        *("account", "entry", "grant", "reverses", "subscription__plan_version__plan"),
        *("proposed_by", "first_approved_by", "decided_by"),
    )
