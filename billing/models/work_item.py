"""The work queue: what waits for somebody of the staff, one row for the same thing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id

if TYPE_CHECKING:
    from datetime import datetime


class WorkKind(models.TextChoices):
    """Why something waits for a person."""

    UNBILLED_JOB = "UNBILLED_JOB", _("Unbilled job")  # R72
    MISSING_RATE = "MISSING_RATE", _("Missing rate")  # R97
    ABSORBED_COST = "ABSORBED_COST", _("Cost above the quote")  # R71
    UNKNOWN_WEBHOOK = "UNKNOWN_WEBHOOK", _("Webhook of nobody known")  # R98
    UNDELIVERED_MAIL = "UNDELIVERED_MAIL", _("E-mail that cannot be delivered")


class WorkState(models.TextChoices):
    """Where an item stands. What was done and is seen again is open again."""

    OPEN = "OPEN", _("Open")
    DONE = "DONE", _("Done")
    IGNORED = "IGNORED", _("Ignored")


def new_work_id() -> str:
    """Return a public id for a new item."""
    return new_public_id("wrk")


class WorkItem(models.Model):
    """One thing that somebody has to look at, however often it is seen."""

    public_id = models.CharField(max_length=32, unique=True, default=new_work_id)
    kind = models.CharField(max_length=16, choices=WorkKind)
    subject = models.CharField(
        max_length=120, help_text="What it is about: the same thing is one row."
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="work_items",
        null=True,
        blank=True,
    )
    facts = models.JSONField(default=dict, help_text="What was known when last seen.")
    credits = models.BigIntegerField(
        default=0, help_text="Not charged: what it is about, or the sum of it."
    )
    times_seen = models.BigIntegerField(
        default=1, help_text="The same is counted once a minute at most."
    )
    state = models.CharField(max_length=7, choices=WorkState, default=WorkState.OPEN)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    note = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(
        max_length=500, blank=True, help_text="What became of it, or why it may stay."
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One row a thing; what is closed says why."""

        constraints = [
            models.UniqueConstraint("kind", "subject", name="work_item_one_row"),
            models.CheckConstraint(
                condition=Q(kind__in=WorkKind.values), name="work_item_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state=WorkState.OPEN, closed_at=None)
                | Q(
                    state__in=[WorkState.DONE, WorkState.IGNORED],
                    closed_at__isnull=False,
                ),
                name="work_item_closed_means_closed",
            ),
            models.CheckConstraint(
                condition=Q(state=WorkState.OPEN) | ~Q(outcome=""),
                name="work_item_closed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(credits__gte=0, times_seen__gte=1),
                name="work_item_counts_make_sense",
            ),
        ]
        indexes = [
            models.Index(
                fields=["first_seen_at"],
                name="work_item_open",
                condition=Q(state=WorkState.OPEN),
            )
        ]

    def __str__(self) -> str:
        """Return what it is about."""
        return f"{self.kind} {self.subject}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody."""
        return self.state == WorkState.OPEN

    def age(self, *, at: datetime) -> timedelta:
        """Return for how long it has waited, or had."""
        return max((self.closed_at or at) - self.first_seen_at, timedelta())
