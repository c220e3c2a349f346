"""The only door to Stripe: frozen dataclasses come out, and errors of our own.

No function here may run inside a database transaction. Amounts are cents; instants
are aware. Whoever writes passes an idempotency key made of one of our rows
("purpose:row:attempt"), so that repeating a call repeats its answer.
"""

from __future__ import annotations

from billing.stripe_gateway.checkout import (
    CheckoutSession,
    Order,
    checkout_session,
    open_checkout,
)
from billing.stripe_gateway.connection import (
    BillingError,
    NotAtStripe,
    PaymentDeclined,
    StripeUnavailable,
    using,
)
from billing.stripe_gateway.customers import create_customer
from billing.stripe_gateway.endpoints import ensure_webhook_endpoint
from billing.stripe_gateway.events import NotFromStripe, StripeEvent, parse_event
from billing.stripe_gateway.prices import (
    PriceDiffers,
    PriceMissing,
    PriceToSell,
    ensure_price,
    price_id,
)
from billing.stripe_gateway.refunds import Refund, refund_payment

__all__ = [
    "BillingError",
    "CheckoutSession",
    "NotAtStripe",
    "NotFromStripe",
    "Order",
    "PaymentDeclined",
    "PriceDiffers",
    "PriceMissing",
    "PriceToSell",
    "Refund",
    "StripeEvent",
    "StripeUnavailable",
    "checkout_session",
    "create_customer",
    "ensure_price",
    "ensure_webhook_endpoint",
    "open_checkout",
    "parse_event",
    "price_id",
    "refund_payment",
    "using",
]
