"""Money in: what is offered, agreed, bought, and heard from Stripe."""

from __future__ import annotations

from billing.models.consent import Consent, ConsentKind
from billing.models.customer import Customer
from billing.models.cycle import Cycle
from billing.models.invoice import Invoice, InvoiceStatus
from billing.models.plan import (
    BlockOffer,
    FreeVideoOffer,
    Plan,
    PlanFamily,
    PlanVersion,
)
from billing.models.plan_change import ChangeKind, ChangeState, PlanChange, Timing
from billing.models.portal_clock import PortalClock
from billing.models.purchase import Purchase, PurchaseState
from billing.models.subscription import (
    Interval,
    PlanPeriod,
    Subscription,
    SubscriptionStatus,
)
from billing.models.webhook_event import WebhookEvent, WebhookSubject

__all__ = [
    "BlockOffer",
    "ChangeKind",
    "ChangeState",
    "Consent",
    "ConsentKind",
    "Customer",
    "Cycle",
    "FreeVideoOffer",
    "Interval",
    "Invoice",
    "InvoiceStatus",
    "Plan",
    "PlanChange",
    "PlanFamily",
    "PlanPeriod",
    "PlanVersion",
    "PortalClock",
    "Purchase",
    "PurchaseState",
    "Subscription",
    "SubscriptionStatus",
    "Timing",
    "WebhookEvent",
    "WebhookSubject",
]
