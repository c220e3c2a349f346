"""Charging a saved card while nobody is there, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import expanded, id_of, instant, noted

if TYPE_CHECKING:
    from datetime import datetime

    from stripe.params import PaymentIntentCreateParams

_CHARGE = "latest_charge"


@dataclass(frozen=True, slots=True)
class CardOrder:
    """What a saved card is to be charged for; `attempt` numbers the tries."""

    purchase: str
    reload: str
    attempt: int
    account: str
    customer_id: str
    card_id: str
    amount_cents: int
    currency: str
    description: str


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A payment and what has become of it, as Stripe says now.

    `purchase` and `reload` are our ids in its metadata; both codes are of its last
    decline, and empty without one.
    """

    id: str
    status: str
    purchase: str
    reload: str
    attempt: str
    amount_cents: int
    currency: str
    decline_code: str
    advice_code: str
    paid_at: datetime | None
    receipt_url: str

    @property
    def is_paid(self) -> bool:
        """Whether money moved: no other status means that."""
        return self.status == "succeeded"

    @property
    def has_failed(self) -> bool:
        """Whether nothing will come of it any more, unless it is tried again."""
        return self.status in {"requires_payment_method", "requires_action", "canceled"}


def charge_card(order: CardOrder, *, key: str) -> CardPayment:
    """Charge a saved card, once for each key; a decline is an answer like any other.

    Raises:
        StripeUnavailable: it may have been charged. Ask again with the same key.

    Source: https://docs.stripe.com/payments/save-and-reuse#charge-saved-payment-method
    """
    intents = client().v1.payment_intents
    with translated_errors():
        try:
            return _read(intents.create(_params(order), {"idempotency_key": key}))
        except stripe.CardError as declined:
            left = declined.error and declined.error.payment_intent
            if left is None:
                raise
    return card_payment(id_of(left))


def card_payment(payment_intent_id: str) -> CardPayment:
    """Return a payment, whatever it was for.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.payment_intents.retrieve(
            payment_intent_id, {"expand": [_CHARGE]}
        )
    return _read(found)


def payments_of_reload(
    reload: str, *, customer_id: str, since: datetime
) -> list[CardPayment]:
    """Return what Stripe holds of a reload, newest first, made since an instant.

    From the customer's own list, which is up to date; Stripe's search is minutes late.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        listed = client().v1.payment_intents.list(
            {
                "customer": customer_id,
                "created": {"gte": int(since.timestamp())},
                "limit": 100,
                "expand": [f"data.{_CHARGE}"],
            }
        )
        found = [_read(intent) for intent in listed.auto_paging_iter()]
    return [payment for payment in found if payment.reload == reload]


def cancel_payment(payment_intent_id: str, *, key: str) -> CardPayment:
    """Make sure that a payment can no longer succeed; return what it is then.

    One that has succeeded stays so.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    try:
        with translated_errors():
            client().v1.payment_intents.cancel(
                payment_intent_id, {}, {"idempotency_key": key}
            )
    except stripe.InvalidRequestError as refused:
        if refused.code != "payment_intent_unexpected_state":
            raise
    return card_payment(payment_intent_id)


def _params(order: CardOrder) -> PaymentIntentCreateParams:
    return {
        "amount": order.amount_cents,
        "currency": order.currency,
        "customer": order.customer_id,
        "payment_method": order.card_id,
        "off_session": True,
        "confirm": True,
        # Without it the payment would wait for a customer who is not there.
        "error_on_requires_action": True,
        "description": order.description,
        "metadata": {
            "purchase": order.purchase,
            "reload": order.reload,
            "attempt": str(order.attempt),
            "account": order.account,
        },
        "expand": [_CHARGE],
    }


def _read(intent: stripe.PaymentIntent) -> CardPayment:
    charge = expanded(intent.latest_charge, stripe.Charge)
    error = intent.last_payment_error
    return CardPayment(
        id=intent.id,
        status=intent.status,
        purchase=noted(intent.metadata, "purchase"),
        reload=noted(intent.metadata, "reload"),
        attempt=noted(intent.metadata, "attempt"),
        amount_cents=intent.amount,
        currency=intent.currency,
        decline_code=noted(error, "decline_code") or noted(error, "code"),
        advice_code=noted(error, "advice_code"),
        paid_at=instant(charge.created) if charge else None,
        receipt_url=(charge and charge.receipt_url) or "",
    )
