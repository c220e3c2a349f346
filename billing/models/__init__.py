"""Money in: what is offered, agreed, bought, and heard from Stripe."""

from __future__ import annotations

from billing.models.auto_reload import (
    IN_FLIGHT,
    AutoReload,
    Reload,
    ReloadSkip,
    ReloadState,
    ReloadTrigger,
    Suspension,
)
from billing.models.card_on_file import CardOnFile
from billing.models.consent import Consent, ConsentKind
from billing.models.customer import Customer
from billing.models.cycle import Cycle
from billing.models.debt_payment import DebtPayment, DebtPaymentState
from billing.models.dispute import (
    ANSWERABLE,
    CHARGED_BACK,
    CLOSED,
    Dispute,
    DisputeEffect,
    DisputeStatus,
    FraudWarning,
    WarningState,
)
from billing.models.invoice import Invoice, InvoiceStatus
from billing.models.outgoing import (
    Delivery,
    DeliveryAttempt,
    OutgoingKind,
    OutgoingMessage,
    WebhookEndpoint,
)
from billing.models.plan import (
    BlockOffer,
    FreeVideoNews,
    FreeVideoOffer,
    Plan,
    PlanFamily,
    PlanVersion,
)
from billing.models.plan_change import ChangeKind, ChangeState, PlanChange, Timing
from billing.models.portal_clock import PortalClock
from billing.models.purchase import Purchase, PurchaseOrigin, PurchaseState
from billing.models.reconciliation import (
    Break,
    BreakKind,
    BreakState,
    Reconciliation,
    StripeFee,
)
from billing.models.refund import Refund, RefundState
from billing.models.subscription import (
    Interval,
    PlanPeriod,
    Subscription,
    SubscriptionStatus,
)
from billing.models.webhook_event import (
    IGNORED,
    IGNORED_BY_STAFF,
    SubjectState,
    WebhookEvent,
    WebhookSubject,
)

__all__ = [
    "ANSWERABLE",
    "CHARGED_BACK",
    "CLOSED",
    "IGNORED",
    "IGNORED_BY_STAFF",
    "IN_FLIGHT",
    "AutoReload",
    "BlockOffer",
    "Break",
    "BreakKind",
    "BreakState",
    "CardOnFile",
    "ChangeKind",
    "ChangeState",
    "Consent",
    "ConsentKind",
    "Customer",
    "Cycle",
    "DebtPayment",
    "DebtPaymentState",
    "Delivery",
    "DeliveryAttempt",
    "Dispute",
    "DisputeEffect",
    "DisputeStatus",
    "FraudWarning",
    "FreeVideoNews",
    "FreeVideoOffer",
    "Interval",
    "Invoice",
    "InvoiceStatus",
    "OutgoingKind",
    "OutgoingMessage",
    "Plan",
    "PlanChange",
    "PlanFamily",
    "PlanPeriod",
    "PlanVersion",
    "PortalClock",
    "Purchase",
    "PurchaseOrigin",
    "PurchaseState",
    "Reconciliation",
    "Refund",
    "RefundState",
    "Reload",
    "ReloadSkip",
    "ReloadState",
    "ReloadTrigger",
    "StripeFee",
    "SubjectState",
    "Subscription",
    "SubscriptionStatus",
    "Suspension",
    "Timing",
    "WarningState",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookSubject",
]
