"""Payments in doubt: their grants are frozen, and usable again if the money stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from accounts.models import Account
from billing import payments
from billing.models import (
    Dispute,
    DisputeEffect,
    FraudWarning,
    Subscription,
    WarningState,
)
from credits import ledger
from credits.models import Freeze

if TYPE_CHECKING:
    from datetime import datetime

    from billing.payments import Payment

log = structlog.get_logger(__name__)

_REASONS = {
    Freeze.DISPUTE: "The payment for these credits is disputed.",
    Freeze.FRAUD_WARNING: "The payment for these credits may not be genuine.",
}
_STANDS = "The payment for these credits stands."


def locked_payment(payment_intent_id: str, *, at: datetime) -> Payment:
    """Return a payment as it stands at an instant, with account and plan locked.

    Raises:
        UnknownPayment: see there.
    """
    found = payments.payment_of(payment_intent_id)
    if found is None:
        log.error("unknown_payment", payment_intent=payment_intent_id)
        message = f"No payment was settled here as {payment_intent_id}."
        raise payments.UnknownPayment(message)
    _lock(found.account.pk)
    wallet_id = ledger.open_wallet(account_id=found.account.pk, at=at)
    ledger.expire_wallet(wallet_id=wallet_id, at=at)
    return read_again(found)


def _lock(account_id: int) -> None:
    """Take the locks that come before the wallet's, in the order of all."""
    Account.objects.select_for_update(no_key=True).get(pk=account_id)
    plans = Subscription.objects.select_for_update(no_key=True)
    list(plans.filter(account_id=account_id, ended_at=None).values_list("pk"))


def read_again(payment: Payment) -> Payment:
    """Return a payment with its grants as they are by now."""
    return payments.payment_of(payment.payment_intent_id) or payment


def freeze(payment: Payment, why: Freeze, *, key: str, at: datetime) -> int:
    """Freeze what is left of a payment's grants; return how many credits that are.

    What jobs hold is left to them. `key` names the doubt: "dispute:7".
    """
    return sum(
        ledger.freeze(
            grant_id=grant.pk,
            freeze=why,
            idempotency_key=f"{key}:freeze:{grant.pk}",
            actor="stripe",
            reason=_REASONS[why],
            at=at,
        ).credits
        for grant in payment.grants
        if grant.is_open
    )


def unfreeze(
    payment: Payment, why: Freeze, *, key: str, at: datetime, actor: str = "stripe"
) -> None:
    """End a doubt, unless there is another of its kind about the payment.

    The expiry moves by the time for which the credits were frozen (R83).
    """
    if _is_doubted(payment, why):
        return
    for grant in payment.grants:
        if why in grant.frozen_for:
            ledger.unfreeze(
                grant_id=grant.pk,
                freeze=why,
                idempotency_key=f"{key}:unfreeze:{grant.pk}",
                actor=actor,
                reason=_STANDS,
                at=at,
            )


def _is_doubted(payment: Payment, why: Freeze) -> bool:
    if why == Freeze.DISPUTE:
        disputed = Dispute.objects.filter(effect=DisputeEffect.FROZEN)
        return disputed.filter(**payment.row).exists()
    warned = FraudWarning.objects.filter(state=WarningState.OPEN)
    return warned.filter(**payment.row).exists()
