"""Our books beside Stripe's: each comparison, and what differed."""

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


class BreakKind(models.TextChoices):
    """How our books and Stripe's can differ."""

    PAID_WITHOUT_GRANT = "PAID_WITHOUT_GRANT", _("Paid without credits")
    GRANT_WITHOUT_PAYMENT = "GRANT_WITHOUT_PAYMENT", _("Credits without payment")
    DOUBLE_GRANT = "DOUBLE_GRANT", _("Credits granted twice")
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS", _("Amount differs")
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS", _("Currency differs")
    REFUND_UNPOSTED = "REFUND_UNPOSTED", _("Refund not posted")
    REFUND_UNKNOWN = "REFUND_UNKNOWN", _("Refund unknown to Stripe")
    DISPUTE_UNPOSTED = "DISPUTE_UNPOSTED", _("Dispute not posted")
    DISPUTE_UNKNOWN = "DISPUTE_UNKNOWN", _("Dispute unknown to Stripe")
    ORPHAN_SESSION = "ORPHAN_SESSION", _("Checkout without an order")
    SUBSCRIPTION_DIFFERS = "SUBSCRIPTION_DIFFERS", _("Plan differs")
    INVOICE_DIFFERS = "INVOICE_DIFFERS", _("Invoice differs")
    FEE_DIFFERS = "FEE_DIFFERS", _("Fee differs")


class BreakState(models.TextChoices):
    """What became of a break. It opens again when it is found again."""

    OPEN = "OPEN", _("Open")
    REPAIRED = "REPAIRED", _("Repaired")
    IGNORED = "IGNORED", _("Ignored")
    GONE = "GONE", _("Gone by itself")


def new_break_id() -> str:
    """Return a public id for a new break."""
    return new_public_id("brk")


class Reconciliation(models.Model):
    """One comparison: waiting until it is started, running until it is finished."""

    since = models.DateTimeField(
        null=True, blank=True, help_text="Looks at what is newer. Empty: at everything."
    )
    asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    missed = models.IntegerField(
        default=0, help_text="Events that Stripe told and nobody had received."
    )
    compared = models.IntegerField(default=0, help_text="Stripe's objects.")
    found = models.IntegerField(default=0, help_text="Breaks, new or seen before.")
    repaired = models.IntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        """One waits at most: a second one would find the same."""

        constraints = [
            models.UniqueConstraint(
                fields=["started_at"],
                condition=Q(started_at=None),
                name="reconciliation_one_waits",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(started_at__isnull=False),
                name="reconciliation_finished_means_started",
            ),
        ]

    def __str__(self) -> str:
        """Return when it was asked for."""
        return f"reconciliation of {self.asked_at:%Y-%m-%d %H:%M}"


class Break(models.Model):
    """One difference: the same one is one row, however often it is seen."""

    public_id = models.CharField(max_length=32, unique=True, default=new_break_id)
    kind = models.CharField(max_length=24, choices=BreakKind)
    subject = models.CharField(
        max_length=120, help_text="Stripe's id of what differs, or ours."
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="breaks", null=True, blank=True
    )
    here = models.JSONField(default=dict, help_text="What our books say.")
    at_stripe = models.JSONField(default=dict, help_text="What Stripe's say.")
    happened_at = models.DateTimeField(help_text="When that came about which differs.")
    repair_kind = models.CharField(
        max_length=60,
        blank=True,
        help_text="What to look at again to repair it; empty: somebody has to decide.",
    )
    repair_id = models.CharField(max_length=96, blank=True)
    state = models.CharField(max_length=8, choices=BreakState, default=BreakState.OPEN)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    note = models.CharField(max_length=500, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One row a difference; whoever ignores one says why."""

        constraints = [
            models.UniqueConstraint("kind", "subject", name="break_one_row"),
            models.CheckConstraint(
                condition=Q(kind__in=BreakKind.values), name="break_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state=BreakState.OPEN, closed_at=None)
                | Q(
                    state__in=[
                        BreakState.REPAIRED,
                        BreakState.IGNORED,
                        BreakState.GONE,
                    ],
                    closed_at__isnull=False,
                ),
                name="break_closed_means_closed",
            ),
            models.CheckConstraint(
                condition=~Q(state=BreakState.IGNORED) | ~Q(note=""),
                name="break_ignored_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["first_seen_at"],
                name="break_open",
                condition=Q(state=BreakState.OPEN),
            )
        ]

    def __str__(self) -> str:
        """Return what differs."""
        return f"{self.kind} {self.subject}"

    def age(self, *, at: datetime) -> timedelta:
        """Return for how long it has been known."""
        return max((self.closed_at or at) - self.first_seen_at, timedelta())
