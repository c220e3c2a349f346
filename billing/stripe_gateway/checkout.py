"""Checkout pages: opening one, and reading what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import expanded, id_of, instant, noted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stripe.params.checkout import (
        SessionCreateParams,
        SessionCreateParamsLineItemAdjustableQuantity,
    )


@dataclass(frozen=True, slots=True)
class Order:
    """What a checkout page is to sell, to whom, and the ways back from it.

    Where the fewest and the most blocks are the same, the number is fixed.
    """

    purchase: str
    account: str
    customer_id: str
    price_id: str
    blocks: int
    min_blocks: int
    max_blocks: int
    description: str
    expires_at: datetime
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A checkout page and what has become of it, as Stripe says now.

    `mode` is Stripe's word for what it sells; `purchase` or `change` is our id in its
    metadata, `quantities` what was bought by the lookup key of its price, `paid_at`
    when the bank said yes. A plan has a subscription and its first bill. `country` is
    that of the billing address, an ISO code, once it was said; `card_fingerprint` is of
    the card that was charged.
    """

    id: str
    mode: str
    status: str
    url: str
    purchase: str
    change: str
    is_paid: bool
    has_failed: bool
    currency: str
    subtotal_cents: int
    tax_cents: int
    total_cents: int
    quantities: tuple[tuple[str, int], ...]
    payment_intent_id: str
    paid_at: datetime | None
    receipt_url: str
    card_fingerprint: str
    subscription_id: str
    invoice_id: str
    customer_id: str
    country: str


def open_checkout(order: Order, *, key: str) -> CheckoutSession:
    """Open a checkout page, or return the one that this key opened before.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        session = client().v1.checkout.sessions.create(
            _params(order), {"idempotency_key": key}
        )
    return read_session(session, ())


def checkout_session(session_id: str) -> CheckoutSession:
    """Return a checkout page with what was bought and paid there.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    sessions = client().v1.checkout.sessions
    with translated_errors():
        session = sessions.retrieve(
            session_id, {"expand": ["payment_intent.latest_charge"]}
        )
        items = sessions.line_items.list(session_id, {"limit": 100})
    return read_session(session, items.data)


def read_session(
    session: stripe.checkout.Session, items: Sequence[stripe.LineItem]
) -> CheckoutSession:
    """Return what matters here of an answer of the SDK."""
    intent = expanded(session.payment_intent, stripe.PaymentIntent)
    charge = expanded(intent and intent.latest_charge, stripe.Charge)
    return CheckoutSession(
        id=session.id,
        mode=session.mode,
        status=session.status or "",
        url=session.url or "",
        purchase=noted(session.metadata, "purchase"),
        change=noted(session.metadata, "change"),
        is_paid=session.payment_status == "paid",
        has_failed=session.status == "complete" and _has_failed(intent),
        currency=session.currency or "",
        subtotal_cents=session.amount_subtotal or 0,
        tax_cents=session.total_details.amount_tax if session.total_details else 0,
        total_cents=session.amount_total or 0,
        quantities=tuple(
            ((item.price and item.price.lookup_key) or "", item.quantity or 0)
            for item in items
        ),
        payment_intent_id=intent.id if intent else "",
        paid_at=instant(charge.created) if charge else None,
        receipt_url=(charge and charge.receipt_url) or "",
        card_fingerprint=_card_fingerprint(charge),
        subscription_id=id_of(session.subscription),
        invoice_id=id_of(session.invoice),
        customer_id=id_of(session.customer),
        country=_country(session),
    )


def _card_fingerprint(charge: stripe.Charge | None) -> str:
    paid_by = charge and charge.payment_method_details
    return (paid_by and paid_by.card and paid_by.card.fingerprint) or ""


def _country(session: stripe.checkout.Session) -> str:
    buyer = session.customer_details
    return (buyer and buyer.address and buyer.address.country) or ""


def _params(order: Order) -> SessionCreateParams:
    metadata = {"purchase": order.purchase, "account": order.account}
    return {
        "mode": "payment",
        "customer": order.customer_id,
        "client_reference_id": order.account,
        "line_items": [
            {
                "price": order.price_id,
                "quantity": order.blocks,
                "adjustable_quantity": _range(order),
            }
        ],
        "allowed_payment_method_types": ["card"],
        # A session's metadata does not reach its payment: it is said twice.
        "metadata": metadata,
        "payment_intent_data": {
            "description": order.description,
            "metadata": metadata,
        },
        "expires_at": int(order.expires_at.timestamp()),
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
    }


def _range(order: Order) -> SessionCreateParamsLineItemAdjustableQuantity:
    if order.min_blocks == order.max_blocks:
        return {"enabled": False}
    return {
        "enabled": True,
        "minimum": order.min_blocks,
        "maximum": order.max_blocks,
    }


def _has_failed(intent: stripe.PaymentIntent | None) -> bool:
    return intent is not None and intent.status in {
        "requires_payment_method",
        "canceled",
    }
