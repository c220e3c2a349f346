"""Settling purchases: what Stripe says became of one, granted or returned once.

`settle` is called by the webhook, the return page and the sweeper, in any order and
at the same time: the first one acts, the others read (R44). Amounts are cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import Q

from billing import reload_states, stripe_gateway
from billing.core.periods import add_months
from billing.finance import bookings
from billing.models import (
    Purchase,
    PurchaseOrigin,
    PurchaseState,
    Refund,
    Subscription,
)
from billing.plans import subscribing
from billing.purchases import notices
from credits import ledger
from credits.models import GrantSource

if TYPE_CHECKING:
    from billing.stripe_gateway import CardPayment, CheckoutSession

log = structlog.get_logger(__name__)

_MAY_STILL_BE_PAID = (PurchaseState.OPEN, PurchaseState.EXPIRED)
_SOURCES = {
    PurchaseOrigin.CHECKOUT: GrantSource.PURCHASE,
    PurchaseOrigin.RELOAD: GrantSource.RELOAD,
}
_RECEIPTS = {
    PurchaseOrigin.CHECKOUT: "receipt",
    PurchaseOrigin.RELOAD: "reload_paid",
}
_PLAN_ENDED = "The plan ended before the payment arrived, so nothing was added."


class Settlement(StrEnum):
    """What looking at a checkout page led to."""

    GRANTED = "granted"
    REFUNDING = "refunding"
    WAITING = "not paid yet"
    NOT_COMPLETED = "not completed"
    SETTLED_BEFORE = "settled before"
    NOT_AS_OFFERED = "not as offered"
    PAID_TWICE = "paid twice"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid: so many blocks, at our price, on a checkout page or without."""

    blocks: int
    total_cents: int
    net_cents: int
    payment_intent_id: str
    receipt_url: str
    card_fingerprint: str
    is_on_session: bool
    paid_at: datetime


def settle(*, session_id: str, at: datetime) -> Settlement:
    """Ask Stripe what became of a checkout page, and act on it.

    Raises:
        StripeUnavailable: ask again.
        NotAtStripe: there is no such page.
    """
    return settle_as(stripe_gateway.checkout_session(session_id), at=at)


@transaction.atomic
def settle_as(session: CheckoutSession, *, at: datetime) -> Settlement:
    """Act on what Stripe said of a checkout page: grant, return, close, or nothing.

    What was paid counts, not what was ordered: the buyer may change the number.

    Source: docs/rules.md R42, R43, R44, R105.
    """
    purchase = _locked_purchase(session)
    if purchase is None:
        return Settlement.NOT_OURS
    if purchase.state not in _MAY_STILL_BE_PAID:
        return Settlement.SETTLED_BEFORE
    if purchase.stripe_session_id is None:
        purchase.stripe_session_id = session.id
        purchase.save(update_fields=["stripe_session_id"])
    if session.is_paid:
        payment = _payment(purchase, session, at)
        return _take_payment(purchase, payment, session, at)
    if session.status == "expired" or session.has_failed:
        purchase.state, purchase.next_check_at = PurchaseState.EXPIRED, None
        purchase.save()
        reload_states.note_no_payment(purchase, at=at)
        return Settlement.NOT_COMPLETED
    return Settlement.WAITING


@transaction.atomic
def settle_charge(charged: CardPayment, *, at: datetime) -> Settlement:
    """Act on what Stripe said of a charge that nobody clicked for.

    A charge that failed leaves the purchase open: whether it is tried again is
    auto-reload's business.

    Source: docs/rules.md R42, R43, R55.
    """
    purchase = _locked(Q(public_id=charged.purchase, origin=PurchaseOrigin.RELOAD))
    if purchase is None:
        return Settlement.NOT_OURS
    if purchase.state not in _MAY_STILL_BE_PAID:
        return _known_payment(purchase, charged)
    if not charged.is_paid:
        return Settlement.WAITING
    return _take_payment(purchase, _payment_by(charged, purchase, at), charged, at)


def _locked_purchase(session: CheckoutSession) -> Purchase | None:
    # A page whose id was not recorded, because we fell over, is known by its metadata.
    return _locked(
        Q(stripe_session_id=session.id)
        | Q(stripe_session_id=None, public_id=session.purchase)
    )


def _locked(ours: Q) -> Purchase | None:
    return (
        Purchase.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "offer", "buyer")
        .filter(ours)
        .first()
    )


def _known_payment(purchase: Purchase, charged: CardPayment) -> Settlement:
    is_another = charged.is_paid and charged.id != purchase.stripe_payment_intent_id
    if not is_another:
        return Settlement.SETTLED_BEFORE
    # Reconciliation finds it too: a payment without a grant.
    log.error("paid_twice", purchase=purchase.public_id, payment=charged.id)
    return Settlement.PAID_TWICE


def _take_payment(
    purchase: Purchase,
    payment: Payment | None,
    said: CheckoutSession | CardPayment,
    at: datetime,
) -> Settlement:
    if payment is None:
        log.error("paid_not_as_offered", purchase=purchase.public_id, said=said)
        return Settlement.NOT_AS_OFFERED
    purchase.blocks_paid = payment.blocks
    purchase.paid_cents = payment.total_cents
    purchase.paid_at = payment.paid_at
    purchase.stripe_payment_intent_id = payment.payment_intent_id
    purchase.receipt_url = payment.receipt_url
    reload_states.note_payment(
        purchase,
        card_fingerprint=payment.card_fingerprint,
        is_on_session=payment.is_on_session,
        at=at,
    )
    if _sells_blocks(purchase.account_id, at):
        return _grant(purchase, payment, at)
    return _return_later(purchase, at)


def _payment(
    purchase: Purchase, session: CheckoutSession, at: datetime
) -> Payment | None:
    if len(session.quantities) != 1:
        return None
    [(lookup_key, blocks)] = session.quantities
    is_as_offered = (
        lookup_key == purchase.offer.lookup_key
        and session.currency == purchase.currency
        and session.subtotal_cents == blocks * purchase.offer.cents
        and blocks >= 1
    )
    if not is_as_offered:
        return None
    return Payment(
        blocks=blocks,
        total_cents=session.total_cents,
        net_cents=session.total_cents - session.tax_cents,
        payment_intent_id=session.payment_intent_id,
        receipt_url=session.receipt_url,
        card_fingerprint=session.card_fingerprint,
        is_on_session=True,
        paid_at=_paid_at(session.paid_at, purchase, at),
    )


def _payment_by(
    charged: CardPayment, purchase: Purchase, at: datetime
) -> Payment | None:
    blocks = purchase.blocks_asked
    price = (blocks * purchase.offer.cents, purchase.currency)
    if (charged.amount_cents, charged.currency) != price:
        return None
    return Payment(
        blocks=blocks,
        total_cents=charged.amount_cents,
        net_cents=charged.amount_cents,  # a bare payment carries no tax
        payment_intent_id=charged.id,
        receipt_url=charged.receipt_url,
        card_fingerprint="",
        is_on_session=False,
        paid_at=_paid_at(charged.paid_at, purchase, at),
    )


def _paid_at(said: datetime | None, purchase: Purchase, at: datetime) -> datetime:
    # Stripe's clock is not ours: never before the order, never in our future.
    return min(max(said or at, purchase.opened_at), at)


def _sells_blocks(account_id: int, at: datetime) -> bool:
    # Locked, so that the plan cannot end between this look and the grant (R42).
    live = (
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .select_related("plan_version")
        .filter(account_id=account_id, ended_at=None)
        .first()
    )
    if live is None or subscribing.is_over(live, at=at):
        return False
    return live.plan_version.sells_blocks


def _grant(purchase: Purchase, payment: Payment, at: datetime) -> Settlement:
    if months := purchase.offer.expires_after_months:
        purchase.credits_expire_at = add_months(payment.paid_at, months)
    ledger.grant(
        wallet_id=ledger.open_wallet(account_id=purchase.account_id, at=at),
        source=_SOURCES[PurchaseOrigin(purchase.origin)],
        source_key=purchase.source_key,
        credits=payment.blocks * purchase.offer.credits,
        # R100, R102: what was paid, less the tax that was never ours.
        cost_basis_cents=payment.net_cents,
        effective_at=payment.paid_at,
        expires_at=purchase.credits_expire_at,
        actor="purchase",
        reason=purchase.public_id,
        at=at,
    )
    purchase.state, purchase.next_check_at = PurchaseState.PAID, None
    purchase.save()
    bookings.purchase_paid(purchase, net_cents=payment.net_cents, at=at)
    notices.record_change("purchase.paid", purchase, at=at)
    notices.write_notice(_RECEIPTS[PurchaseOrigin(purchase.origin)], purchase, at=at)
    return Settlement.GRANTED


def _return_later(purchase: Purchase, at: datetime) -> Settlement:
    purchase.state, purchase.next_check_at = PurchaseState.REFUNDING, None
    purchase.save()
    bookings.purchase_returned(purchase, at=at)
    # No network inside a transaction: the sweeper finds the refund due.
    Refund.objects.create(
        purchase=purchase,
        account=purchase.account,
        asked_key=f"return:{purchase.pk}",
        amount_cents=purchase.paid_cents or 0,
        currency=purchase.currency,
        takes_all_left=True,
        reason=_PLAN_ENDED,
        asked_at=at,
        next_check_at=at,
    )
    notices.record_change("purchase.refunding", purchase, at=at, reason=_PLAN_ENDED)
    return Settlement.REFUNDING
