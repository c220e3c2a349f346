"""Money in: what is offered, agreed, bought, and heard from Stripe."""

from __future__ import annotations

from billing.models.customer import Customer
from billing.models.cycle import Cycle
from billing.models.plan import BlockOffer, Plan, PlanFamily, PlanVersion
from billing.models.purchase import Purchase, PurchaseState
from billing.models.subscription import Interval, Subscription, SubscriptionStatus
from billing.models.webhook_event import WebhookEvent, WebhookSubject

__all__ = [
    "BlockOffer",
    "Customer",
    "Cycle",
    "Interval",
    "Plan",
    "PlanFamily",
    "PlanVersion",
    "Purchase",
    "PurchaseState",
    "Subscription",
    "SubscriptionStatus",
    "WebhookEvent",
    "WebhookSubject",
]
