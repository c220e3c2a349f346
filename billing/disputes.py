"""What disputes mean for an account and its plan: what pages and renewals read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, F, Min, OuterRef, Q

from billing.models import (
    ANSWERABLE,
    CHARGED_BACK,
    Dispute,
    DisputeEffect,
    FraudWarning,
    Subscription,
    WarningState,
)

if TYPE_CHECKING:
    from datetime import datetime

# R85: no month comes of a payment that a bank asks back, or has taken back.
PAYMENT_STANDS = ~Exists(
    Dispute.objects.filter(invoice=OuterRef("invoice"), status__in=CHARGED_BACK)
)


# Of a month: the bank has taken back what was paid for it, for good.
IS_LOST = Exists(
    Dispute.objects.filter(invoice=OuterRef("invoice"), effect=DisputeEffect.TAKEN)
)


@dataclass(frozen=True, slots=True)
class Doubts:
    """What banks have against payments, as far as it is not decided."""

    disputes: tuple[Dispute, ...]
    warnings: tuple[FraudWarning, ...]


def charged_back_at(subscription: Subscription) -> datetime | None:
    """Return since when the payment of a plan's last term is disputed or lost (R85)."""
    if subscription.paid_until is None:
        return None
    of_last_term = Dispute.objects.filter(
        invoice__cycles__subscription=subscription,
        invoice__cycles__ends_at=subscription.paid_until,
        status__in=CHARGED_BACK,
    )
    first: datetime | None = of_last_term.aggregate(first=Min("opened_at"))["first"]
    return first


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
