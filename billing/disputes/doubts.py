"""What disputes mean for an account: what waits for a bank, or for our answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F, Q

from billing.models import (
    ANSWERABLE,
    Dispute,
    DisputeEffect,
    FraudWarning,
    WarningState,
)

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Doubts:
    """What banks have against payments, as far as it is not decided."""

    disputes: tuple[Dispute, ...]
    warnings: tuple[FraudWarning, ...]


def look_at_lost(account_id: int, *, at: datetime) -> None:
    """Let lost disputes be looked at again: credits came back to grants of an account.

    What comes back to a grant that a bank has taken is nobody's, or was paid for again.
    Call it under the wallet's lock, in the transaction that gave back.

    Source: docs/rules.md R83.
    """
    lost = Dispute.objects.filter(account_id=account_id, effect=DisputeEffect.TAKEN)
    lost.update(next_check_at=at)


def doubts_of(account_id: int, *, purchase_id: int | None = None) -> Doubts:
    """Return what an account waits for: all of it, or what is about one purchase."""
    about = {"account_id": account_id}
    if purchase_id is not None:
        about["purchase_id"] = purchase_id
    disputes = Dispute.objects.filter(**about, closed_at=None)
    warnings = FraudWarning.objects.filter(**about, state=WarningState.OPEN)
    return Doubts(
        disputes=tuple(disputes.order_by("opened_at")),
        warnings=tuple(warnings.order_by("opened_at")),
    )


def by_urgency(*, limit: int) -> list[Dispute]:
    """Return disputes: those to be answered by their date first, what is over last."""
    found = Dispute.objects.select_related("account", "purchase", "invoice")
    is_over = Q(closed_at__isnull=False)
    ordered = found.annotate(is_over=is_over).order_by(
        "is_over", F("evidence_due_at").asc(nulls_last=True), "-opened_at"
    )
    return list(ordered[:limit])


def open_warnings(*, limit: int) -> list[FraudWarning]:
    """Return the fraud warnings that nobody has decided on, oldest first."""
    found = FraudWarning.objects.filter(state=WarningState.OPEN)
    return list(found.select_related("account").order_by("opened_at")[:limit])


def waiting(_: datetime) -> int:
    """Return how many disputes and warnings wait for somebody's answer."""
    answerable = Dispute.objects.filter(status__in=ANSWERABLE)
    warnings = FraudWarning.objects.filter(state=WarningState.OPEN)
    return answerable.count() + warnings.count()
