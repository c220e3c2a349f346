"""How far the time machine has moved the portal's clock."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class PortalClock(models.Model):
    """One row, which every process reads; without it the clock is right."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    offset = models.DurationField(help_text="How far it is ahead of the world's.")

    class Meta:
        """There is one portal, and it has one clock."""

        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="portal_clock_one")
        ]

    def __str__(self) -> str:
        """Return how far it is moved."""
        return f"clock moved by {self.offset}"
