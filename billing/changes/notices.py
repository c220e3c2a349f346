"""What an account is told about changes of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts import notifying
from billing.models import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from billing.models import PlanChange

_SCHEDULED = {
    ChangeKind.CANCEL: "plan_cancel_scheduled",
    ChangeKind.MIGRATE: "plan_price_changes",
}


def tell_done(change: PlanChange, *, at: datetime) -> None:
    """Tell that another plan is in force."""
    _tell("plan_change_done", change, at)


def tell_unpaid(change: PlanChange, until: datetime, *, at: datetime) -> None:
    """Tell that an upgrade waits for its payment, and how long it does (R21)."""
    _tell("plan_change_unpaid", change, at, {"pay_until": until})


def tell_refused(change: PlanChange, *, at: datetime) -> None:
    """Tell that an upgrade was not paid and is off; the old plan was kept."""
    _tell("plan_change_refused", change, at)


def tell_scheduled(change: PlanChange, *, at: datetime) -> None:
    """Tell when the plan changes or ends and how to take that back, or a new price.

    Source: docs/rules.md R27, R36, R59.
    """
    kind = _SCHEDULED.get(ChangeKind(change.kind), "plan_change_scheduled")
    _tell(kind, change, at, {"is_trimmed": settings.TRIM_ON_DOWNGRADE})


def tell_leaving(change: PlanChange, *, at: datetime) -> None:
    """Tell when a legacy plan ends for good, and how to keep it until then (R34)."""
    _tell("legacy_end_scheduled", change, at)


def tell_left(change: PlanChange, *, at: datetime) -> None:
    """Tell that a legacy plan has ended, and how to begin the plan that follows."""
    _tell("legacy_ended", change, at)


def tell_undone(change: PlanChange, *, at: datetime) -> None:
    """Tell that the plan goes on as it is."""
    _tell("plan_change_undone", change, at)


def _tell(
    kind: str,
    change: PlanChange,
    at: datetime,
    what: Mapping[str, Any] | None = None,
) -> None:
    account = change.account
    notifying.notify(
        kind=kind,
        key=f"change:{change.pk}:{kind}",
        recipients=notifying.billing_recipients(account),
        context={
            **(what or {}),
            "change": change,
            "old": change.from_version,
            "new": change.to_version,
            "plan_url": settings.BASE_URL + reverse("billing:plan"),
            "change_url": settings.BASE_URL
            + reverse("billing:change", args=[change.public_id]),
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )
