"""Months that finance has closed: what comes late is posted in a later one (R93)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.dates import MONTHS

from accounts.models import User


class ClosedMonth(models.Model):
    """One month: closed once and for good, and sealed once with what it came to.

    Triggers hold months to their order, and refuse every change but the seal.
    """

    month = models.DateField(unique=True, help_text="Its first day.")
    starts_at = models.DateTimeField(unique=True)
    ends_at = models.DateTimeField(unique=True)
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    figures = models.JSONField(
        null=True, blank=True, help_text="What it came to, once nothing is in flight."
    )
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the figures, with their keys sorted."
    )
    sealed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A month is over before it is closed, and closed before it is sealed."""

        ordering = ["month"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"))
                & Q(closed_at__gte=F("ends_at")),
                name="closed_month_is_over",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1), name="closed_month_by_first_day"
            ),
            models.CheckConstraint(
                condition=Q(figures__isnull=True, sha256="", sealed_at=None)
                | Q(
                    figures__isnull=False,
                    sha256__regex="^[0-9a-f]{64}$",
                    sealed_at__gt=F("closed_at"),
                ),
                name="closed_month_sealed_whole",
            ),
        ]

    def __str__(self) -> str:
        """Return its name: March 2026."""
        return f"{MONTHS[self.month.month]} {self.month.year}"
