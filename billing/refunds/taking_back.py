"""What Stripe says of a refund, applied: the credits go where the money goes.

Whoever asked for it, in the portal or in Stripe's dashboard, and whoever tells of it,
the page, a webhook or the sweeper: all end in `apply_refund`. A refund only goes
forward, so an old answer changes nothing.

Source: docs/rules.md R76-R82, R86.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import Q, Sum

from billing import payments
from billing.core.refunds import Effect, effect_of, settled
from billing.core.revenue import left_cents
from billing.finance import bookings
from billing.models import STANDING, Cycle, Purchase, PurchaseState, Refund, RefundState
from billing.payments import PaymentKind, UnknownPayment, standing_refunds
from billing.refunds import notices, putting_back
from billing.refunds.figures import locked_wallet, paid_by
from credits import ledger

if TYPE_CHECKING:
    from datetime import datetime

    from billing.payments import Payment
    from billing.stripe_gateway import StripeRefund

log = structlog.get_logger(__name__)

_STATES = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.DONE,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
# A bank may send money back days after it was said to have arrived.
_FORWARDS = (
    RefundState.ASKED,
    RefundState.PENDING,
    RefundState.DONE,
    RefundState.FAILED,
)
_FIRST_CHECK, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)
_WATCHED_FOR = timedelta(days=30)
_TAKEN = "The payment for these credits was refunded."
_OWED = "Used, and then refunded."


@transaction.atomic
def apply_refund(fetched: StripeRefund, *, at: datetime) -> str:
    """Act on the present state of a refund: take credits, put them back, or nothing.

    Raises:
        UnknownPayment: its payment is not here, or not yet (R98).

    Source: docs/rules.md R80, R81.
    """
    payment = _locked_payment(fetched)
    refund = _row_of(fetched, payment, at)
    before, state = RefundState(refund.state), _STATES[fetched.status]
    if _FORWARDS.index(state) > _FORWARDS.index(before):
        refund.state, refund.stripe_refund_id = state, fetched.id
        refund.failure = fetched.failure
        if state in STANDING and before == RefundState.ASKED:
            _take(refund, payment, at)
        elif state == RefundState.FAILED and before in STANDING:
            putting_back.undo(refund, payment, at=at)
        refund.settled_at = None if state == RefundState.PENDING else at
        notices.tell(refund, payment, at=at)
    refund.next_check_at = next_check(refund, at=at)
    refund.save()
    _mark_purchase(payment)
    return f"refund {refund.state.lower()}"


def apply_refunds(fetched: list[StripeRefund], *, at: datetime) -> str:
    """Act on the present state of all refunds of a payment, the oldest first.

    Raises:
        UnknownPayment: see there.
    """
    for each in fetched:
        apply_refund(each, at=at)
    return f"refunds: {len(fetched)}"


@transaction.atomic
def take_waiting(refund: Refund, *, at: datetime) -> None:
    """Take what jobs held of a refunded grant, once they have ended (R77)."""
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund.pk)
    payment = payments.payment_for(refund.row)
    if payment and refund.credits_waiting and refund.state in STANDING:
        wallet_id = locked_wallet(payment, at=at)
        payment = payments.payment_for(refund.row) or payment
        paid = paid_by(payment, taking=refund)
        _bring_about(refund, payment, settled(paid, _effect(refund)), wallet_id, at)
        bookings.refund_reclassed(refund, at=at)
        refund.save()


def give_up(refund: Refund, why: str, *, at: datetime) -> None:
    """Record that Stripe will not make a refund that we asked for: nothing moved."""
    asked = Refund.objects.filter(pk=refund.pk, state=RefundState.ASKED)
    asked.update(
        state=RefundState.FAILED, failure=why[:300], settled_at=at, next_check_at=None
    )


def next_check(refund: Refund, *, at: datetime) -> datetime | None:
    """Return when to ask Stripe again: the older it is, the less often; None: never."""
    age = at - refund.asked_at
    if refund.credits_waiting:
        return at + _FIRST_CHECK
    if refund.state == RefundState.FAILED or age > _WATCHED_FOR:
        return None
    return at + min(max(age, _FIRST_CHECK), _LONGEST_PAUSE)


def _locked_payment(fetched: StripeRefund) -> Payment:
    """Return the payment of a refund, its row locked: one refund of it at a time."""
    payment = payments.payment_of(fetched.payment_intent_id)
    if payment is None:
        log.error("refund_of_unknown_payment", refund=fetched.id)
        message = f"No payment {fetched.payment_intent_id} was settled here."
        raise UnknownPayment(message)
    payments.lock(payment)
    return payment


def _row_of(fetched: StripeRefund, payment: Payment, at: datetime) -> Refund:
    """Return our row: by Stripe's id, by the id that we gave it, or a new one."""
    ours = Refund.objects.select_for_update(no_key=True).filter(**payment.row)
    known = ours.filter(stripe_refund_id=fetched.id)
    asked = ours.filter(stripe_refund_id=None)
    # The same wish, come true in Stripe's dashboard before we could ask for it.
    alike = Q(state=RefundState.ASKED, amount_cents=fetched.amount_cents)
    wished = Q(public_id=fetched.refund) if fetched.refund else alike
    found = known.first() or asked.filter(wished).order_by("pk").first()
    return found or Refund.objects.create(
        **payment.row,
        account=payment.account,
        asked_key=f"stripe:{fetched.id}",
        amount_cents=fetched.amount_cents,
        currency=fetched.currency,
        # Stripe's clock is not ours: never in our future.
        asked_at=min(fetched.created_at, at),
    )


def _take(refund: Refund, payment: Payment, at: datetime) -> None:
    wallet_id = locked_wallet(payment, at=at)
    payment = payments.payment_of(payment.payment_intent_id) or payment
    effect = effect_of(
        paid_by(payment, taking=refund),
        cents=refund.amount_cents,
        takes_all_left=refund.takes_all_left,
    )
    unbegun = _drop_months(payment.to_come, effect.to_come)
    _bring_about(refund, payment, effect, wallet_id, at)
    bookings.refund_made(refund, payment, unbegun=unbegun, at=at)
    bookings.refund_reclassed(refund, at=at)


def _bring_about(
    refund: Refund, payment: Payment, effect: Effect, wallet_id: int, at: datetime
) -> None:
    """Move what the effect says beyond what the refund has done before."""
    _remove(refund, payment, effect.removed - refund.credits_removed, at)
    owed = effect.owed - refund.debt_credits
    if owed:
        ledger.record_debt(
            wallet_id=wallet_id,
            credits=owed,
            idempotency_key=f"{refund.source_key}:debt:{refund.debt_credits}",
            actor="refund",
            reason=_OWED,
            at=at,
        )
    refund.credits_removed, refund.credits_expired = effect.removed, effect.expired
    refund.credits_to_come, refund.credits_waiting = effect.to_come, effect.waiting
    refund.debt_credits, refund.debt_cents = effect.owed, effect.owed_cents


def _remove(refund: Refund, payment: Payment, credits: int, at: datetime) -> None:
    # Those granted last first: of a paid year, the months that were enjoyed least.
    for grant in reversed(payment.grants):
        free = grant.remaining - grant.held
        taken = min(credits, free)
        credits -= taken
        if taken:
            ledger.revoke(
                grant_id=grant.pk,
                # All of it voids the grant (R76).
                credits=None if taken == free and not grant.held else taken,
                idempotency_key=f"{refund.source_key}:{grant.pk}:{refund.credits_removed}",
                actor="refund",
                reason=_TAKEN,
                at=at,
            )


def _drop_months(to_come: tuple[Cycle, ...], credits: int) -> int:
    """Take credits off paid months that have not begun, the last one first (R82).

    Returns what they were paid with, in cents.
    """
    before = sum(cycle.price_cents for cycle in to_come)
    for cycle in reversed(to_come):
        if taken := min(credits, cycle.credits):
            credits -= taken
            left = cycle.credits - taken
            cycle.price_cents = left_cents(
                cycle.price_cents, granted=cycle.credits, left=left
            )
            cycle.credits = left
    Cycle.objects.bulk_update(to_come, ["credits", "price_cents"])
    return before - sum(cycle.price_cents for cycle in to_come)


def _mark_purchase(payment: Payment) -> None:
    if payment.kind is not PaymentKind.PURCHASE:
        return
    refunded = standing_refunds(payment).aggregate(cents=Sum("amount_cents"))["cents"]
    if (refunded or 0) >= payment.paid_cents:
        state = PurchaseState.REFUNDED
    elif payment.granted:
        state = PurchaseState.PAID
    else:
        state = PurchaseState.REFUNDING
    Purchase.objects.filter(pk=payment.row_id).update(state=state)


def _effect(refund: Refund) -> Effect:
    return Effect(
        removed=refund.credits_removed,
        to_come=refund.credits_to_come,
        expired=refund.credits_expired,
        waiting=refund.credits_waiting,
        owed=refund.debt_credits,
        owed_cents=refund.debt_cents,
    )
