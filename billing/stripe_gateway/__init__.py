"""The only door to Stripe: frozen dataclasses come out, and errors of our own.

No function here may run inside a database transaction. Amounts are cents; instants
are aware. Whoever writes passes an idempotency key made of one of our rows
("purpose:row:attempt"), so that repeating a call repeats its answer.
"""

from __future__ import annotations

from billing.stripe_gateway.books import (
    RenewingPlan,
    money_by_customer,
    renewing_plans,
)
from billing.stripe_gateway.changes import (
    Bill,
    PlanOrder,
    PriceMove,
    close_checkout,
    end_now,
    end_with_term,
    go_on,
    move_price,
    open_plan_checkout,
    preview_move,
)
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
from billing.stripe_gateway.events import (
    NotFromStripe,
    StripeEvent,
    events_after,
    parse_event,
)
from billing.stripe_gateway.invoices import (
    StripeInvoice,
    StripeLine,
    invoice,
    invoice_ids_of,
    void_invoice,
)
from billing.stripe_gateway.portals import open_portal
from billing.stripe_gateway.prices import (
    PriceDiffers,
    PriceMissing,
    PriceToSell,
    ensure_price,
    price_id,
)
from billing.stripe_gateway.refunds import Refund, refund_payment
from billing.stripe_gateway.schedules import release_schedule, schedule_price
from billing.stripe_gateway.subscriptions import StripeSubscription, subscription

__all__ = [
    "Bill",
    "BillingError",
    "CheckoutSession",
    "NotAtStripe",
    "NotFromStripe",
    "Order",
    "PaymentDeclined",
    "PlanOrder",
    "PriceDiffers",
    "PriceMissing",
    "PriceMove",
    "PriceToSell",
    "Refund",
    "RenewingPlan",
    "StripeEvent",
    "StripeInvoice",
    "StripeLine",
    "StripeSubscription",
    "StripeUnavailable",
    "checkout_session",
    "close_checkout",
    "create_customer",
    "end_now",
    "end_with_term",
    "ensure_price",
    "ensure_webhook_endpoint",
    "events_after",
    "go_on",
    "invoice",
    "invoice_ids_of",
    "money_by_customer",
    "move_price",
    "open_checkout",
    "open_plan_checkout",
    "open_portal",
    "parse_event",
    "preview_move",
    "price_id",
    "refund_payment",
    "release_schedule",
    "renewing_plans",
    "schedule_price",
    "subscription",
    "using",
    "void_invoice",
]
