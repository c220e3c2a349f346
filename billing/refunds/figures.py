"""A payment as a refund finds it: what is unspent of it, and what went back before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q, Sum

from billing.core.claims import Lot
from billing.core.refunds import Paid
from billing.models import Cycle, Dispute, Refund
from billing.payments import PaymentKind, standing_refunds
from credits import ledger
from credits.models import EntryKind, GrantDraw

if TYPE_CHECKING:
    from datetime import datetime

    from billing.payments import Payment


def locked_wallet(payment: Payment, *, at: datetime) -> int:
    """End what is due in a payment's wallet; return its id, locked until the commit.

    Months that have not begun are locked before it, as whoever grants them does.
    """
    coming = Cycle.objects.filter(pk__in=[cycle.pk for cycle in payment.to_come])
    list(coming.select_for_update(no_key=True).order_by("starts_at"))
    wallet_id = ledger.open_wallet(account_id=payment.account.pk, at=at)
    ledger.expire_wallet(wallet_id=wallet_id, at=at)
    return wallet_id


def paid_by(payment: Payment, *, taking: Refund | None = None) -> Paid:
    """Return a payment as a refund finds it; `taking` is what that refund has before.

    Lock its wallet first, and read the payment under that lock, to act on it.
    """
    others = [refund for refund in standing_refunds(payment) if refund != taking]
    taken, owed = (taking.credits_removed, taking.debt_credits) if taking else (0, 0)
    expired = _expired(payment) + payment.forfeited
    to_come = sum(cycle.credits for cycle in payment.to_come)
    left = sum(grant.remaining for grant in payment.grants)
    held = sum(grant.held for grant in payment.grants)
    gone = payment.granted - left - to_come - expired - taken
    return Paid(
        cents=payment.paid_cents,
        lot=Lot(
            granted=payment.granted,
            free=left - held,
            held=held,
            used=max(0, gone - _claimed_before(payment, others)),
            removed=sum(refund.credits_removed for refund in others),
            taken=taken,
            owed=owed,
        ),
        to_come=to_come,
        expired=expired - sum(refund.credits_expired for refund in others),
        refunded_cents=sum(refund.amount_cents for refund in others),
        refunded_credits=sum(refund.credits for refund in others),
    )


def _expired(payment: Payment) -> int:
    if not payment.grants:
        return 0
    # What a plan's change or end took is gone like what has expired (R26, R30, R58).
    ended = GrantDraw.objects.filter(
        Q(entry__kind=EntryKind.EXPIRE)
        | Q(entry__kind=EntryKind.REVOKE, entry__actor="plan"),
        entry__wallet_id=payment.grants[0].wallet_id,
        grant__in=payment.grants,
    )
    return -int(ended.aggregate(total=Sum("credits"))["total"] or 0)


def _claimed_before(payment: Payment, others: list[Refund]) -> int:
    """Return the credits that others took back, or that are owed for them already."""
    refunded = sum(
        refund.credits_removed + refund.credits_to_come + refund.debt_credits
        for refund in others
    )
    if payment.kind is PaymentKind.DEBT:
        return refunded
    lost = Dispute.objects.filter(**payment.row).aggregate(
        credits=Sum(F("removed_credits") + F("debt_credits"))
    )
    return refunded + (lost["credits"] or 0)
