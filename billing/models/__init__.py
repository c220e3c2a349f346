"""Money in: what is offered, agreed, bought, and heard from Stripe."""

from __future__ import annotations

from billing.models.adjustment import (
    DROPPED,
    SHORTEST_COMMENT,
    Adjustment,
    AdjustmentKind,
    AdjustmentState,
    ReasonCode,
)
from billing.models.auto_reload import (
    IN_FLIGHT,
    AutoReload,
    Reload,
    ReloadSkip,
    ReloadState,
    ReloadTrigger,
    Suspension,
)
from billing.models.batch import Batch, BatchState
from billing.models.books import (
    BOOKED_ACCOUNTS,
    BalanceMovement,
    Booking,
    BookingKind,
)
from billing.models.bulk_file import BulkFile
from billing.models.card_on_file import CardOnFile
from billing.models.closed_month import ClosedMonth
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
from billing.models.export import (
    REPORTS,
    UNFINISHED,
    Export,
    ExportFormat,
    ExportKind,
    ExportState,
)
from billing.models.invoice import Invoice, InvoiceStatus
from billing.models.make_good import MakeGood, MakeGoodDebit
from billing.models.offer_draft import OfferDraft
from billing.models.outgoing import (
    TEST_KIND,
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
)
from billing.models.refund import STANDING, Refund, RefundState
from billing.models.subscription import (
    Interval,
    PlanPeriod,
    Subscription,
    SubscriptionStatus,
)
from billing.models.webhook_event import (
    IGNORED,
    IGNORED_BY_STAFF,
    STUCK_AFTER,
    SubjectState,
    WebhookEvent,
    WebhookSubject,
)
from billing.models.work_item import WorkItem, WorkKind, WorkState

__all__ = [
    "ANSWERABLE",
    "BOOKED_ACCOUNTS",
    "CHARGED_BACK",
    "CLOSED",
    "DROPPED",
    "IGNORED",
    "IGNORED_BY_STAFF",
    "IN_FLIGHT",
    "REPORTS",
    "SHORTEST_COMMENT",
    "STANDING",
    "STUCK_AFTER",
    "TEST_KIND",
    "UNFINISHED",
    "Adjustment",
    "AdjustmentKind",
    "AdjustmentState",
    "AutoReload",
    "BalanceMovement",
    "Batch",
    "BatchState",
    "BlockOffer",
    "Booking",
    "BookingKind",
    "Break",
    "BreakKind",
    "BreakState",
    "BulkFile",
    "CardOnFile",
    "ChangeKind",
    "ChangeState",
    "ClosedMonth",
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
    "Export",
    "ExportFormat",
    "ExportKind",
    "ExportState",
    "FraudWarning",
    "FreeVideoNews",
    "FreeVideoOffer",
    "Interval",
    "Invoice",
    "InvoiceStatus",
    "MakeGood",
    "MakeGoodDebit",
    "OfferDraft",
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
    "ReasonCode",
    "Reconciliation",
    "Refund",
    "RefundState",
    "Reload",
    "ReloadSkip",
    "ReloadState",
    "ReloadTrigger",
    "SubjectState",
    "Subscription",
    "SubscriptionStatus",
    "Suspension",
    "Timing",
    "WarningState",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookSubject",
    "WorkItem",
    "WorkKind",
    "WorkState",
]
