"""Webhooks to the product's backend: where they go, what they say, how that went."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id


class OutgoingKind(models.TextChoices):
    """What the product's backend can be told of."""

    BALANCE_LOW = "balance.low", _("A balance is below one of its thresholds")
    BALANCE_DEPLETED = "balance.depleted", _("A balance is used up")
    CREDITS_GRANTED = "credits.granted", _("Credits were added")
    RELOAD_FAILED = "reload.failed", _("An auto-reload failed")
    PLAN_CHANGED = "plan.changed", _("An account is on another plan")


# Of nothing that happened: no endpoint is told of it, one is tried out with it.
TEST_KIND = "webhook.test"


def new_endpoint_id() -> str:
    """Return a public id for a new endpoint."""
    return new_public_id("whe")


def new_message_id() -> str:
    """Return the id under which a message is sent, each time."""
    return new_public_id("msg")


class WebhookEndpoint(models.Model):
    """An address of the product's backend.

    Its secret is not stored: it follows from the portal's own key, the public id and
    `secret_number`, which rises when the secret is rolled.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_endpoint_id)
    url = models.URLField(max_length=500)
    kinds = ArrayField(models.CharField(max_length=40, choices=OutgoingKind))
    secret_number = models.IntegerField(default=1)
    old_secret_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then the secret before it signs too."
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField()
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when nothing has arrived there."
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """An address is told once, and of something."""

        constraints = [
            models.UniqueConstraint(
                "url", condition=Q(removed_at=None), name="webhook_endpoint_one_per_url"
            ),
            models.CheckConstraint(
                condition=Q(kinds__len__gt=0), name="webhook_endpoint_hears_something"
            ),
            models.CheckConstraint(
                condition=Q(kinds__contained_by=OutgoingKind.values),
                name="webhook_endpoint_kinds_known",
            ),
            models.CheckConstraint(
                condition=Q(secret_number__gte=1), name="webhook_endpoint_has_a_secret"
            ),
        ]

    def __str__(self) -> str:
        """Return the address."""
        return self.url


class OutgoingMessage(models.Model):
    """One thing that happened, written in the transaction that did it."""

    public_id = models.CharField(max_length=32, unique=True, default=new_message_id)
    key = models.CharField(
        max_length=200, unique=True, help_text="Names the fact: it is told once."
    )
    kind = models.CharField(
        max_length=40, choices=[*OutgoingKind.choices, (TEST_KIND, _("A test"))]
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    body = models.TextField(help_text="The JSON that is signed and sent.")
    occurred_at = models.DateTimeField()

    class Meta:
        """Only what an endpoint can be told of, and tests of one."""

        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[*OutgoingKind.values, TEST_KIND]),
                name="outgoing_kind_known",
            )
        ]

    def __str__(self) -> str:
        """Return what is told."""
        return f"{self.kind} {self.public_id}"

    @property
    def is_test(self) -> bool:
        """Whether it tells of nothing, and only tries an endpoint out."""
        return self.kind == TEST_KIND


class Delivery(models.Model):
    """One message to one endpoint, until it has arrived or is given up."""

    message = models.ForeignKey(
        OutgoingMessage, on_delete=models.PROTECT, related_name="deliveries"
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries"
    )
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text="Also a sender's lease. Empty: it is over."
    )
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A message goes to an endpoint once; what is due is found by its index."""

        constraints = [
            models.UniqueConstraint("message", "endpoint", name="delivery_once"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(next_attempt_at=None),
                name="delivery_arrived_means_over",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
        ]

    def __str__(self) -> str:
        """Return what goes where."""
        return f"{self.message} to {self.endpoint}"


class DeliveryAttempt(models.Model):
    """One try to deliver: the log."""

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="tries"
    )
    at = models.DateTimeField()
    status = models.SmallIntegerField(
        null=True, blank=True, help_text="Of the answer. Empty: there was none."
    )
    error = models.CharField(max_length=200, blank=True)
    took_ms = models.IntegerField()

    def __str__(self) -> str:
        """Return how it went."""
        return f"{self.status or self.error}"
