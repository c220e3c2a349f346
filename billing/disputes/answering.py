"""What staff do about a dispute: answer it with evidence, or give it up (R83).

Stripe is told; what comes of it is read from Stripe like everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import auditing
from billing import stripe_gateway
from billing.disputes import evidence
from billing.purchases import purchasing
from billing.webhooks import inbox

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from billing.models import Dispute
    from billing.payments import Payment


def answer(
    dispute: Dispute, payment: Payment, *, note: str, user: User, at: datetime
) -> None:
    """Hand our evidence in at the bank, with what staff add. It can be done once.

    Raises:
        DisputeIsOver: the bank takes no more.
        StripeUnavailable: try again; nothing is handed in twice.
    """
    handed_in = evidence.for_stripe(evidence.evidence_of(dispute, payment), note=note)
    _record("dispute.answered", dispute, user=user, reason=note, at=at)
    stripe_gateway.submit_evidence(
        dispute.stripe_dispute_id, handed_in, key=_key("answer", dispute, at)
    )
    _look(dispute, at)


def accept(dispute: Dispute, *, reason: str, user: User, at: datetime) -> None:
    """Give a dispute up: what it claims is lost.

    Raises:
        DisputeIsOver: it was decided before.
        StripeUnavailable: try again.
    """
    _record("dispute.accepted", dispute, user=user, reason=reason, at=at)
    stripe_gateway.close_dispute(
        dispute.stripe_dispute_id, key=_key("accept", dispute, at)
    )
    _look(dispute, at)


def _record(
    action: str, dispute: Dispute, *, user: User, reason: str, at: datetime
) -> None:
    # Before Stripe is told: whoever tried is on record, whatever the answer.
    auditing.record(
        action=action,
        actor=user,
        account=dispute.account,
        target=dispute.stripe_dispute_id,
        reason=reason[:500],
        at=at,
    )


def _key(verb: str, dispute: Dispute, at: datetime) -> str:
    number = purchasing.attempt(dispute.opened_at, at=at)
    return f"{dispute.key}:{verb}:{number}"


def _look(dispute: Dispute, at: datetime) -> None:
    inbox.look_again(object_kind="dispute", object_id=dispute.stripe_dispute_id, at=at)
