"""Disputes: what the bank says becomes of a payment, done to the credits it paid for.

`apply_dispute` is called by the inbox with the present state of a dispute, whoever
asked for the look: a webhook, the sweeper, the desk or reconciliation. It moves the
credits from the effect that the dispute has had to the one that its status asks for,
so that neither order nor number of looks matters. Amounts are cents.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from accounts import auditing
from billing.disputes import clawing_back, fraud_warnings, freezing, notices
from billing.finance import bookings
from billing.models import (
    CLOSED,
    Dispute,
    DisputeEffect,
    DisputeStatus,
    Subscription,
)
from billing.plans import disputed, subscribing
from credits.models import Freeze

if TYPE_CHECKING:
    from datetime import datetime

    from billing.payments import Payment
    from billing.stripe_gateway import StripeDispute

log = structlog.get_logger(__name__)

_PAUSE = timedelta(days=1)
# Jobs that hold credits which were lost settle within days (R68).
_WHILE_JOBS_RUN = timedelta(hours=1)
_MOVES_NOTHING = (
    DisputeStatus.WARNING_NEEDS_RESPONSE,
    DisputeStatus.WARNING_UNDER_REVIEW,
    DisputeStatus.WARNING_CLOSED,
)
_AT_THE_BANK = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
_PAYMENT_STANDS = (DisputeStatus.WON, DisputeStatus.PREVENTED)


@transaction.atomic
def apply_dispute(fetched: StripeDispute, *, at: datetime) -> str:
    """Follow a dispute: freeze, give back or take what was paid for, as it now stands.

    Raises:
        UnknownPayment: its payment was not settled here, or not yet (R98).

    Source: docs/rules.md R83, R85.
    """
    payment = freezing.locked_payment(fetched.payment_intent_id, at=at)
    dispute = _recorded(fetched, payment, at)
    before = DisputeEffect(dispute.effect)
    dispute.effect = _wanted(dispute, before)
    is_new, is_moved = dispute.pk is None, dispute.effect != before
    dispute.save()
    if is_moved:
        _move(dispute, payment, before, at)
    is_waiting = dispute.effect == DisputeEffect.TAKEN and _take(dispute, payment, at)
    dispute.next_check_at = _next_check(dispute, at, is_waiting=is_waiting)
    dispute.save()
    if is_moved:
        _follow_with_plan(dispute, at)
    if is_new or is_moved:
        _tell(dispute, payment, at)
    return str(DisputeStatus(dispute.status).label).lower()


def _recorded(fetched: StripeDispute, payment: Payment, at: datetime) -> Dispute:
    """Return our row of a dispute with what Stripe says now; a new one is not saved."""
    known = Dispute.objects.filter(stripe_dispute_id=fetched.id).first()
    dispute = known or Dispute(
        stripe_dispute_id=fetched.id, account=payment.account, **payment.row
    )
    dispute.status = DisputeStatus(fetched.status.upper())
    dispute.reason = fetched.reason
    dispute.amount_cents, dispute.currency = fetched.amount_cents, fetched.currency
    dispute.opened_at = fetched.opened_at
    dispute.evidence_due_at = fetched.evidence_due_at
    dispute.closed_at = (dispute.closed_at or at) if dispute.status in CLOSED else None
    return dispute


def _wanted(dispute: Dispute, before: DisputeEffect) -> DisputeEffect:
    if dispute.status in _MOVES_NOTHING:
        return before
    if dispute.status in _AT_THE_BANK:
        return DisputeEffect.FROZEN
    if dispute.status not in _PAYMENT_STANDS:
        return DisputeEffect.TAKEN
    if before is DisputeEffect.TAKEN:
        # An appeal was won. What was taken may be owed, paid or expired by now.
        log.error("dispute_won_after_all", dispute=dispute.stripe_dispute_id)
    return DisputeEffect.RESTORED if before is DisputeEffect.FROZEN else before


def _move(
    dispute: Dispute, payment: Payment, before: DisputeEffect, at: datetime
) -> None:
    if dispute.effect == DisputeEffect.RESTORED:
        freezing.unfreeze(payment, Freeze.DISPUTE, key=dispute.key, at=at)
    elif before is DisputeEffect.NONE:
        # Also what is lost already: so that no job uses what is counted next.
        dispute.frozen_credits = freezing.freeze(
            payment, Freeze.DISPUTE, key=dispute.key, at=at
        )
        fraud_warnings.give_way(payment, at=at)
    if dispute.effect == DisputeEffect.TAKEN:
        unbegun = sum(bookings.unbegun_cents(cycle) for cycle in payment.to_come)
        bookings.dispute_lost(dispute, unbegun=unbegun, at=at)


def _take(dispute: Dispute, payment: Payment, at: datetime) -> bool:
    """Take what is lost as far as it can be; say whether running jobs keep a rest."""
    is_waiting = clawing_back.take_back(dispute, freezing.read_again(payment), at=at)
    left = freezing.read_again(payment)
    if not is_waiting and any(grant.is_open for grant in left.grants):
        # Of a part only: what the bank did not take is the customer's.
        freezing.unfreeze(left, Freeze.DISPUTE, key=dispute.key, at=at)
    return is_waiting


def _next_check(dispute: Dispute, at: datetime, *, is_waiting: bool) -> datetime | None:
    if is_waiting:
        return at + _WHILE_JOBS_RUN
    return at + _PAUSE if dispute.is_open else None


def _follow_with_plan(dispute: Dispute, at: datetime) -> None:
    """Treat a plan as overdue while the payment of its last term is gone (R85)."""
    if dispute.invoice is None or dispute.invoice.subscription_id is None:
        return
    subscription = Subscription.objects.select_for_update(no_key=True).get(
        pk=dispute.invoice.subscription_id
    )
    subscription.disputed_at = disputed.charged_back_at(subscription)
    subscription.save(update_fields=["disputed_at"])
    subscribing.push_terms(dispute.account_id, at=at)


def _tell(dispute: Dispute, payment: Payment, at: datetime) -> None:
    auditing.record(
        action="dispute.followed",
        actor="stripe",
        account=dispute.account,
        target=dispute.stripe_dispute_id,
        after={
            "status": dispute.status,
            "payment": payment.public_id,
            "frozen": dispute.frozen_credits,
            "removed": dispute.removed_credits,
            "owed": dispute.debt_credits,
        },
        at=at,
    )
    notices.tell_dispute(dispute, payment, at=at)
