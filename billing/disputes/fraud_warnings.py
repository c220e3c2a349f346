"""Early fraud warnings: frozen at once, then refunded or kept by somebody (R84)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import auditing
from billing import stripe_gateway
from billing.disputes import freezing, notices
from billing.models import Dispute, DisputeEffect, FraudWarning, WarningState
from credits.models import Freeze

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from billing.payments import Payment
    from billing.stripe_gateway import StripeWarning


class RefundNotBooked(stripe_gateway.BillingError):
    """The payment was refunded, but its credits are still here: look again soon."""


class WarningIsOver(stripe_gateway.BillingError):
    """It was decided meanwhile."""


@transaction.atomic
def apply_warning(fetched: StripeWarning, *, at: datetime) -> str:
    """Follow a warning: freeze what was paid for, until the payment is decided on.

    Raises:
        UnknownPayment, RefundNotBooked: see there.

    Source: docs/rules.md R84.
    """
    payment = freezing.locked_payment(fetched.payment_intent_id, at=at)
    warning, is_first = FraudWarning.objects.update_or_create(
        stripe_warning_id=fetched.id,
        defaults={"is_actionable": fetched.is_actionable},
        create_defaults={
            "account": payment.account,
            **payment.row,
            "fraud_type": fetched.fraud_type,
            "is_actionable": fetched.is_actionable,
            "opened_at": fetched.opened_at,
        },
    )
    if warning.state == WarningState.OPEN:
        if is_first:
            _begin(warning, payment, at)
        if fetched.is_refunded:
            _require_booked(payment)
            _close(warning, payment, WarningState.REFUNDED, at=at)
        elif _is_charged_back(payment):
            _close(warning, payment, WarningState.DISPUTED, at=at)
    return str(WarningState(warning.state).label).lower()


def give_way(payment: Payment, *, at: datetime) -> None:
    """Leave what was warned about to the dispute that has frozen it too."""
    for warning in FraudWarning.objects.filter(**payment.row, state=WarningState.OPEN):
        _close(warning, payment, WarningState.DISPUTED, at=at)


@transaction.atomic
def keep_payment(*, warning_id: int, user: User, reason: str, at: datetime) -> None:
    """Decide that a payment is genuine: its credits are usable again.

    Raises:
        WarningIsOver: see there.
    """
    warning = FraudWarning.objects.get(pk=warning_id)
    payment = freezing.locked_payment(payment_intent_of(warning), at=at)
    warning.refresh_from_db()
    if warning.state != WarningState.OPEN:
        raise WarningIsOver(str(warning))
    warning.closed_by, warning.closing_reason = user, reason
    _close(warning, payment, WarningState.KEPT, at=at)
    auditing.record(
        action="fraud_warning.kept",
        actor=user,
        account=warning.account,
        target=warning.stripe_warning_id,
        reason=reason,
        at=at,
    )
    notices.tell_kept(warning, payment, at=at)


def payment_intent_of(doubt: Dispute | FraudWarning) -> str:
    """Return Stripe's id of the payment that is doubted."""
    row = doubt.purchase or doubt.invoice or doubt.debt_payment
    return (row and row.stripe_payment_intent_id) or ""


def _begin(warning: FraudWarning, payment: Payment, at: datetime) -> None:
    warning.frozen_credits = freezing.freeze(
        payment, Freeze.FRAUD_WARNING, key=warning.key, at=at
    )
    warning.save(update_fields=["frozen_credits"])
    auditing.record(
        action="fraud_warning.opened",
        actor="stripe",
        account=payment.account,
        target=warning.stripe_warning_id,
        after={"payment": payment.public_id, "frozen": warning.frozen_credits},
        at=at,
    )
    notices.tell_warning(warning, payment, at=at)


def _require_booked(payment: Payment) -> None:
    # Unfrozen now, they could be used before the refund takes them.
    if any(grant.remaining > grant.held for grant in payment.grants):
        message = f"The refund of {payment.public_id} is not booked yet."
        raise RefundNotBooked(message)


def _is_charged_back(payment: Payment) -> bool:
    disputed = Dispute.objects.filter(**payment.row)
    return disputed.exclude(effect=DisputeEffect.NONE).exists()


def _close(
    warning: FraudWarning, payment: Payment, state: WarningState, *, at: datetime
) -> None:
    warning.state, warning.closed_at = state, at
    warning.save()
    freezing.unfreeze(
        freezing.read_again(payment), Freeze.FRAUD_WARNING, key=warning.key, at=at
    )
