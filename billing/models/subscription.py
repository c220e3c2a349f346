"""The agreement: which plan an account pays for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from billing.models.plan import PlanVersion


class Interval(models.TextChoices):
    """How often the plan is paid."""

    MONTH = "MONTH", _("monthly")
    YEAR = "YEAR", _("annual")


class SubscriptionStatus(models.TextChoices):
    """Stripe's statuses, in our spelling."""

    INCOMPLETE = "INCOMPLETE", _("Incomplete")
    TRIALING = "TRIALING", _("Trial")
    ACTIVE = "ACTIVE", _("Active")
    PAST_DUE = "PAST_DUE", _("Payment overdue")
    UNPAID = "UNPAID", _("Unpaid")
    CANCELED = "CANCELED", _("Canceled")


class Subscription(models.Model):
    """One account on one plan version. An account without a live one is on Free."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="subscriptions"
    )
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="subscriptions"
    )
    interval = models.CharField(max_length=5, choices=Interval)
    status = models.CharField(max_length=10, choices=SubscriptionStatus)
    stripe_subscription_id = models.CharField(
        max_length=64, unique=True, null=True, blank=True
    )
    anchor_at = models.DateTimeField(
        help_text="All cycles are counted from here (R11)."
    )
    paid_until = models.DateTimeField(
        null=True, blank=True, help_text="The end of the last term that was paid."
    )
    cancel_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    disputed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when the payment of its last term is disputed (R85).",
    )
    renewal_told_at = models.DateTimeField(
        null=True, blank=True, help_text="When they last heard that a year renews."
    )
    next_check_at = models.DateTimeField(
        null=True, blank=True, help_text="When the sweeper looks; empty: never."
    )

    class Meta:
        """One live plan an account; an ended one has an end."""

        constraints = [
            models.UniqueConstraint(
                "account",
                condition=Q(ended_at=None),
                name="subscription_one_live_per_account",
            ),
            models.CheckConstraint(
                condition=Q(status=SubscriptionStatus.CANCELED, ended_at__isnull=False)
                | ~Q(status=SubscriptionStatus.CANCELED) & Q(ended_at=None),
                name="subscription_canceled_means_ended",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SubscriptionStatus.values),
                name="subscription_status_known",
            ),
            models.CheckConstraint(
                condition=Q(interval__in=Interval.values),
                name="subscription_interval_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="subscription_due",
                condition=Q(next_check_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Return who has what."""
        return f"{self.account}: {self.plan_version} {self.status}"


class PlanPeriod(models.Model):
    """Since when a subscription is on which plan version: until the next, or its end.

    Cycles tell what was paid for; a plan changes between their boundaries too.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="periods"
    )
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField()

    class Meta:
        """One version at an instant."""

        constraints = [
            models.UniqueConstraint(
                "subscription", "starts_at", name="plan_period_one_start"
            )
        ]

    def __str__(self) -> str:
        """Return the version and its beginning."""
        return f"{self.plan_version} from {self.starts_at:%Y-%m-%d}"
