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

from billing import stripe_gateway, subscribing, telling
from billing.core.periods import add_months
from billing.models import Purchase, PurchaseState, Subscription
from credits import ledger
from credits.models import GrantSource

if TYPE_CHECKING:
    from billing.stripe_gateway import CheckoutSession

log = structlog.get_logger(__name__)

_MAY_STILL_BE_PAID = (PurchaseState.OPEN, PurchaseState.EXPIRED)
_PLAN_ENDED = "The plan ended before the payment arrived, so nothing was added."


class Settlement(StrEnum):
    """What looking at a checkout page led to."""

    GRANTED = "granted"
    REFUNDING = "refunding"
    WAITING = "not paid yet"
    NOT_COMPLETED = "not completed"
    SETTLED_BEFORE = "settled before"
    NOT_AS_OFFERED = "not as offered"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid on a checkout page: so many blocks, at our price."""

    blocks: int
    total_cents: int
    net_cents: int
    payment_intent_id: str
    receipt_url: str
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
        return _take_payment(purchase, session, at)
    if session.status == "expired" or session.has_failed:
        purchase.state, purchase.next_check_at = PurchaseState.EXPIRED, None
        purchase.save()
        return Settlement.NOT_COMPLETED
    return Settlement.WAITING


def _locked_purchase(session: CheckoutSession) -> Purchase | None:
    # A page whose id was not recorded, because we fell over, is known by its metadata.
    ours = Q(stripe_session_id=session.id) | Q(
        stripe_session_id=None, public_id=session.purchase
    )
    return (
        Purchase.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "offer", "buyer")
        .filter(ours)
        .first()
    )


def _take_payment(
    purchase: Purchase, session: CheckoutSession, at: datetime
) -> Settlement:
    payment = _payment(purchase, session, at)
    if payment is None:
        log.error("paid_not_as_offered", purchase=purchase.public_id, session=session)
        return Settlement.NOT_AS_OFFERED
    purchase.blocks_paid = payment.blocks
    purchase.paid_cents = payment.total_cents
    purchase.paid_at = payment.paid_at
    purchase.stripe_payment_intent_id = payment.payment_intent_id
    purchase.receipt_url = payment.receipt_url
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
        # Stripe's clock is not ours: never before the order, never in our future.
        paid_at=min(max(session.paid_at or at, purchase.opened_at), at),
    )


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
        source=GrantSource.PURCHASE,
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
    telling.record_change("purchase.paid", purchase, at=at)
    telling.write_notice("receipt", purchase, at=at)
    return Settlement.GRANTED


def _return_later(purchase: Purchase, at: datetime) -> Settlement:
    # No network inside a transaction: the sweeper finds the refund due.
    purchase.state, purchase.next_check_at = PurchaseState.REFUNDING, at
    purchase.refund_reason = _PLAN_ENDED
    purchase.save()
    telling.record_change("purchase.refunding", purchase, at=at, reason=_PLAN_ENDED)
    return Settlement.REFUNDING
