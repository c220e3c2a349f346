"""Charging the saved card for a reload, and what became of that.

Silence is no refusal: a reload that Stripe did not answer for stays as it is and is
asked for again under the same key. After an hour Stripe may repeat a fault of its own
under that key, and after a day it may have forgotten it; so from then on the customer's
payments are read first, and only what is not among them is charged anew.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from billing import reload_states, stripe_gateway
from billing.core import reload_policy as policy
from billing.core.reload_policy import ACTION_LASTS, Decline
from billing.models import (
    Customer,
    Purchase,
    PurchaseState,
    Reload,
    ReloadState,
    Suspension,
)
from billing.outgoing import facts
from billing.purchases import settling
from billing.purchases.settling import Settlement
from billing.reloads import figures, notices, reloading

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import AutoReload
    from billing.stripe_gateway import CardOrder, CardPayment

KEY_IS_TRUSTED_FOR = timedelta(hours=1)
_AGAIN_AFTER, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_CLOCKS_MAY_DIFFER = timedelta(days=1)
_MAY_BE_CHARGED = (ReloadState.CREATED, ReloadState.WAITING)
_CARD_IS_GONE = "card_removed"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ask Stripe about one attempt, until it is due again."""

    reload_id: int
    order: CardOrder
    key: str
    began_at: datetime
    is_to_be_found_first: bool


def due_reloads(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of reloads that it is time to go on with, longest due first."""
    due = Reload.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at")
    return list(due.values_list("pk", flat=True)[:limit])


def charge(*, reload_id: int, at: datetime) -> None:
    """Bring a reload that is due a step further; of many that try, one does.

    Raises:
        StripeUnavailable: the card may have been charged; it is due again.

    Source: docs/rules.md R47, R51, R52, R55.
    """
    if _waits_for_customer(reload_id):
        _expire_action(reload_id, at)
        return
    claim = _claim(reload_id, at)
    if claim and claim.is_to_be_found_first:
        found = _found(claim)
        if found:
            _record(found, at)
            return
        claim = _claim_anew(reload_id, at)
    if claim:
        _record(_answer_to(claim), at)


@transaction.atomic
def follow(charged: CardPayment, *, at: datetime) -> str:
    """Act on what Stripe said of a charge; payments of other kinds are left alone."""
    known = Reload.objects.filter(purchase__public_id=charged.purchase).first()
    if known is None or charged.reload != str(known.pk):
        return Settlement.NOT_OURS
    reload, auto = reload_states.locked_reload(known.pk)
    if charged.is_paid:
        return _take_payment(reload, auto, charged, at)
    is_answer = reload.state == ReloadState.PROCESSING
    if not is_answer or charged.attempt != str(reload.attempt):
        return Settlement.SETTLED_BEFORE
    reload.last_payment_id = charged.id
    if charged.has_failed:
        _take_decline(reload, auto, charged, at)
    reload.save()
    return Settlement.WAITING


def cancel(reload: Reload, *, because: str, at: datetime) -> None:
    """Give up a reload that is not in Stripe's hands. Call it under the locks."""
    _end(reload, ReloadState.CANCELED, at)
    reload.canceled_because = because
    reload.save()


def _waits_for_customer(reload_id: int) -> bool:
    waiting = Reload.objects.filter(pk=reload_id, state=ReloadState.NEEDS_ACTION)
    return waiting.exists()


def _expire_action(reload_id: int, at: datetime) -> None:
    """Give up a reload that nobody has confirmed with the bank in time (R52)."""
    session_id = Reload.objects.get(pk=reload_id).purchase.stripe_session_id
    if session_id:
        # It may have been paid at the last moment.
        settling.settle(session_id=session_id, at=at)
    with transaction.atomic():
        reload, auto = reload_states.locked_reload(reload_id)
        is_due = reload.next_attempt_at is not None and reload.next_attempt_at <= at
        if reload.state != ReloadState.NEEDS_ACTION or not is_due:
            return
        _fail(reload, auto, Suspension.NOT_CONFIRMED, at)
        reload.save()
        notices.tell_expired(reload, at=at)


@transaction.atomic(durable=True)
def _claim(reload_id: int, at: datetime) -> Claim | None:
    """Take the next step if it is due; its time moves on before the work."""
    reload, auto = reload_states.locked_reload(reload_id)
    if reload.next_attempt_at is None or reload.next_attempt_at > at:
        return None
    if reload.state in _MAY_BE_CHARGED:
        return _permitted(reload, auto, at)
    asked_at = reload.asked_at or at
    pause = min(max(at - asked_at, _AGAIN_AFTER), _LONGEST_PAUSE)
    reload.next_attempt_at = at + pause
    reload.save(update_fields=["next_attempt_at"])
    if reload.state != ReloadState.PROCESSING:
        return None
    is_old = at - asked_at >= KEY_IS_TRUSTED_FOR
    return _claimed(reload, is_to_be_found_first=is_old or not auto.is_on)


@transaction.atomic(durable=True)
def _claim_anew(reload_id: int, at: datetime) -> Claim | None:
    """Begin another attempt after one that never reached Stripe."""
    reload, auto = reload_states.locked_reload(reload_id)
    if reload.state != ReloadState.PROCESSING:
        return None
    return _permitted(reload, auto, at)


def _permitted(reload: Reload, auto: AutoReload, at: datetime) -> Claim | None:
    """Begin an attempt, unless something stands against it by now."""
    if not auto.is_on:
        cancel(reload, because="OFF", at=at)
        return None
    if found := reloading.hindrance(reload, auto, at=at):
        because = found.reason if isinstance(found, policy.Skip) else "ENOUGH"
        cancel(reload, because=because, at=at)
        return None
    reload.state, reload.asked_at = ReloadState.PROCESSING, at
    reload.attempt += 1
    reload.next_attempt_at = at + _AGAIN_AFTER
    reload.save()
    return _claimed(reload, is_to_be_found_first=False)


def _claimed(reload: Reload, *, is_to_be_found_first: bool) -> Claim:
    purchase, account = reload.purchase, reload.purchase.account
    customer = Customer.objects.get(account=account)
    order = stripe_gateway.CardOrder(
        purchase=purchase.public_id,
        reload=str(reload.pk),
        attempt=reload.attempt,
        account=account.public_id,
        customer_id=customer.stripe_customer_id,
        card_id=reload.stripe_payment_method_id,
        amount_cents=purchase.blocks_asked * purchase.offer.cents,
        currency=purchase.currency,
        description=f"Auto-reload for {account.public_id}",
    )
    return Claim(
        reload_id=reload.pk,
        order=order,
        key=f"reload:{reload.pk}:{reload.attempt}",
        began_at=reload.began_at,
        is_to_be_found_first=is_to_be_found_first,
    )


def _found(claim: Claim) -> CardPayment | None:
    """Return what Stripe holds of this reload: the payment, or the last attempt."""
    order = claim.order
    held = stripe_gateway.payments_of_reload(
        order.reload,
        customer_id=order.customer_id,
        since=claim.began_at - _CLOCKS_MAY_DIFFER,
    )
    paid = [payment for payment in held if payment.is_paid]
    attempts = [one for one in held if one.attempt == str(order.attempt)]
    return next(iter(paid or attempts), None)


def _answer_to(claim: Claim) -> CardPayment:
    order = claim.order
    try:
        stripe_gateway.saved_card(order.card_id, customer_id=order.customer_id)
    except stripe_gateway.NotAtStripe:
        return _removed(order)
    return stripe_gateway.charge_card(order, key=claim.key)


def _removed(order: CardOrder) -> CardPayment:
    """Return the answer that a card gets which is not the customer's any more."""
    return stripe_gateway.CardPayment(
        id="",
        status="requires_payment_method",
        purchase=order.purchase,
        reload=order.reload,
        attempt=str(order.attempt),
        amount_cents=order.amount_cents,
        currency=order.currency,
        decline_code=_CARD_IS_GONE,
        advice_code="",
        paid_at=None,
        receipt_url="",
    )


def _record(charged: CardPayment, at: datetime) -> None:
    follow(charged, at=at)
    reload = Reload.objects.get(pk=int(charged.reload))
    if reload.state == ReloadState.NEEDS_ACTION and charged.id:
        # Nobody can pay it any more once its successor has a page of its own; that
        # page makes sure again, so silence does no harm here.
        with suppress(stripe_gateway.StripeUnavailable):
            stripe_gateway.cancel_payment(charged.id, key=f"cancel:{charged.id}")


def _take_payment(
    reload: Reload, auto: AutoReload, charged: CardPayment, at: datetime
) -> Settlement:
    before = figures.situation_of(auto.account_id, at=at, besides=reload)
    outcome = settling.settle_charge(charged, at=at)
    if outcome in {Settlement.GRANTED, Settlement.REFUNDING} and before.month:
        after = figures.spent_in(auto.account_id, before.month)
        percent = policy.notice_due(
            auto.limits, before=before.figures.month, after=after
        )
        if percent:
            notices.tell_cap(
                auto, percent=percent, month=before.month, so_far=after, at=at
            )
    return outcome


def _take_decline(
    reload: Reload, auto: AutoReload, charged: CardPayment, at: datetime
) -> None:
    reload.decline_code = charged.decline_code or charged.status
    meaning = policy.classify(
        decline_code=charged.decline_code, advice_code=charged.advice_code
    )
    if meaning is Decline.ACTION:
        reload.state = ReloadState.NEEDS_ACTION
        reload.action_expires_at = reload.next_attempt_at = at + ACTION_LASTS
        notices.tell_action(reload, at=at)
        return
    reload.declines += 1
    if pause := policy.pause_after(reload.declines, meaning):
        reload.state, reload.next_attempt_at = ReloadState.WAITING, at + pause
    else:
        _fail(reload, auto, Suspension.DECLINED, at)
    notices.tell_decline(reload, auto, at=at)


def _fail(reload: Reload, auto: AutoReload, why: Suspension, at: datetime) -> None:
    _end(reload, ReloadState.FAILED, at)
    reload_states.suspend(auto, why, fingerprint=reload.card_fingerprint, at=at)
    facts.tell_reload_failed(
        auto.account, reload_id=reload.pk, reason=reload.decline_code or why, at=at
    )


def _end(reload: Reload, state: ReloadState, at: datetime) -> None:
    reload.state, reload.ended_at, reload.next_attempt_at = state, at, None
    # It may still be paid: then its credits come, and this is corrected.
    unpaid = Purchase.objects.filter(pk=reload.purchase_id, state=PurchaseState.OPEN)
    unpaid.update(state=PurchaseState.EXPIRED, next_check_at=None)
