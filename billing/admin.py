"""The raw tables, to look at: money moves by Stripe, offers by publishing a version."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from billing.models import (
    BlockOffer,
    Consent,
    Customer,
    Cycle,
    Dispute,
    FraudWarning,
    Invoice,
    Plan,
    PlanChange,
    PlanPeriod,
    PlanVersion,
    Purchase,
    Subscription,
    WebhookEvent,
    WebhookSubject,
)


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Offers by name."""

    list_display = ("code", "family", "name", "position")
    ordering = ("position",)


@admin.register(PlanVersion)
class PlanVersionAdmin(ReadOnlyAdmin):
    """What plans contain and cost."""

    list_display = (
        "plan",
        "version",
        "starts_at",
        "cycle_credits",
        "month_cents",
        "year_cents",
        "currency",
        "is_sample_price",
    )
    list_select_related = ("plan",)
    ordering = ("plan__position", "version")


@admin.register(BlockOffer)
class BlockOfferAdmin(ReadOnlyAdmin):
    """What blocks contain and cost."""

    list_display = ("version", "starts_at", "credits", "cents", "currency")


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Accounts as Stripe knows them."""

    list_display = ("account", "stripe_customer_id", "created_at")
    list_select_related = ("account",)
    search_fields = ("stripe_customer_id", "account__name", "account__public_id")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Which account pays for which plan."""

    list_display = ("account", "plan_version", "interval", "status", "ended_at")
    list_filter = ("status", "interval")
    list_select_related = ("account", "plan_version__plan")
    search_fields = ("stripe_subscription_id", "account__name", "account__public_id")


@admin.register(Cycle)
class CycleAdmin(ReadOnlyAdmin):
    """The months of subscriptions."""

    list_display = (
        "subscription",
        "starts_at",
        "ends_at",
        "credits",
        "paid_at",
        "granted_at",
    )
    list_select_related = ("subscription__account", "subscription__plan_version__plan")
    search_fields = ("subscription__account__public_id",)


@admin.register(PlanPeriod)
class PlanPeriodAdmin(ReadOnlyAdmin):
    """Since when a subscription is on which version."""

    list_display = ("subscription", "plan_version", "starts_at")
    list_select_related = ("subscription__account", "plan_version__plan")
    search_fields = ("subscription__account__public_id",)


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """Bills for plans, as Stripe says they stand."""

    list_display = (
        "created_at",
        "number",
        "account",
        "status",
        "reason",
        "total_cents",
        "currency",
        "paid_at",
        "failed_at",
    )
    list_filter = ("status", "reason")
    list_select_related = ("account",)
    search_fields = (
        "number",
        "stripe_invoice_id",
        "account__name",
        "account__public_id",
    )
    ordering = ("-created_at", "-pk")


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """What banks ask back, and what that did to credits."""

    list_display = (
        "opened_at",
        "stripe_dispute_id",
        "account",
        "status",
        "effect",
        "amount_cents",
        "currency",
        "evidence_due_at",
    )
    list_filter = ("status", "effect")
    list_select_related = ("account",)
    search_fields = ("stripe_dispute_id", "account__name", "account__public_id")
    ordering = ("-opened_at", "-pk")


@admin.register(FraudWarning)
class FraudWarningAdmin(ReadOnlyAdmin):
    """Payments that may be fraud, and who decided what."""

    list_display = ("opened_at", "stripe_warning_id", "account", "state", "closed_by")
    list_filter = ("state",)
    list_select_related = ("account", "closed_by")
    search_fields = ("stripe_warning_id", "account__name", "account__public_id")
    ordering = ("-opened_at", "-pk")


@admin.register(PlanChange)
class PlanChangeAdmin(ReadOnlyAdmin):
    """Who asked for which change of plan, and what became of it."""

    list_display = (
        "requested_at",
        "public_id",
        "account",
        "kind",
        "state",
        "to_version",
        "takes_effect_at",
    )
    list_filter = ("kind", "state")
    list_select_related = ("account", "to_version__plan")
    search_fields = ("public_id", "account__name", "account__public_id")
    ordering = ("-requested_at", "-pk")


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """Which words were agreed to, by whom, and when."""

    list_display = ("given_at", "account", "user", "kind", "version", "target")
    list_filter = ("kind", "version")
    list_select_related = ("account", "user")
    search_fields = ("target", "account__public_id", "user__email")
    ordering = ("-given_at", "-pk")


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    """Money for blocks."""

    list_display = (
        "opened_at",
        "public_id",
        "account",
        "state",
        "blocks_paid",
        "paid_cents",
    )
    list_filter = ("state",)
    list_select_related = ("account",)
    search_fields = (
        "public_id",
        "stripe_session_id",
        "stripe_payment_intent_id",
        "account__name",
        "account__public_id",
        "buyer__email",
    )
    ordering = ("-opened_at", "-pk")


@admin.register(WebhookSubject)
class WebhookSubjectAdmin(ReadOnlyAdmin):
    """What of Stripe's was looked at, and what waits to be."""

    list_display = (
        "stripe_object_id",
        "kind",
        "rounds_due",
        "rounds_done",
        "attempts",
        "next_attempt_at",
        "last_error",
    )
    list_filter = ("kind",)
    search_fields = ("stripe_object_id",)
    ordering = ("-pk",)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    """What Stripe said."""

    list_display = (
        "received_at",
        "stripe_id",
        "kind",
        "subject",
        "outcome",
        "handled_at",
    )
    list_filter = ("kind", "outcome")
    list_select_related = ("subject",)
    search_fields = ("stripe_id", "subject__stripe_object_id")
    ordering = ("-pk",)
