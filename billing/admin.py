"""The raw tables, to look at: money moves by Stripe, offers by publishing a version."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from billing.models import (
    BlockOffer,
    Customer,
    Cycle,
    Plan,
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
        "index",
        "starts_at",
        "ends_at",
        "credits",
        "paid_at",
    )
    list_select_related = ("subscription__account", "subscription__plan_version__plan")
    search_fields = ("subscription__account__public_id",)


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
