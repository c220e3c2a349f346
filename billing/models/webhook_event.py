"""The inbox: what Stripe told, and which of its objects have to be looked at."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class WebhookSubject(models.Model):
    """A Stripe object that events told of, and the lease of who looks at it.

    `rounds_due` counts events, `rounds_done` how many of them the last look covered:
    an event that arrives during a look causes another. So neither their order nor
    their number matters.
    """

    stripe_object_id = models.CharField(max_length=96, unique=True)
    kind = models.CharField(max_length=60, help_text="Stripe's name of its type.")
    rounds_due = models.BigIntegerField(default=0)
    rounds_done = models.BigIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(
        help_text="When it may be looked at; also when a lease ends."
    )
    attempts = models.IntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        """The sweeper looks for rounds that are due."""

        constraints = [
            models.CheckConstraint(
                condition=Q(rounds_done__gte=0, rounds_done__lte=F("rounds_due")),
                name="webhook_subject_rounds",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="webhook_subject_due",
                condition=Q(rounds_done__lt=F("rounds_due")),
            )
        ]

    def __str__(self) -> str:
        """Return the object's id."""
        return self.stripe_object_id


class WebhookEvent(models.Model):
    """One event from Stripe, stored once. What Stripe said is never altered."""

    stripe_id = models.CharField(max_length=96, unique=True)
    kind = models.CharField(max_length=80, help_text="Stripe's event type.")
    subject = models.ForeignKey(
        WebhookSubject, on_delete=models.PROTECT, related_name="events"
    )
    round = models.BigIntegerField(help_text="Its number among its object's events.")
    api_version = models.CharField(max_length=40, blank=True)
    is_live = models.BooleanField()
    payload = models.JSONField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        """One number an event."""

        constraints = [
            models.UniqueConstraint("subject", "round", name="webhook_event_one_round")
        ]

    def __str__(self) -> str:
        """Return the event's id and type."""
        return f"{self.stripe_id} {self.kind}"
