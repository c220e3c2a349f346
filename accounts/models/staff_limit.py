"""How many credits somebody of the staff may adjust alone."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models.user import User


class StaffLimit(models.Model):
    """One person's own limits; without a row the settings hold (R91)."""

    user = models.OneToOneField(
        User,
        on_delete=models.PROTECT,
        related_name="staff_limit",
        limit_choices_to={"is_staff": True},
    )
    per_adjustment = models.BigIntegerField(help_text="Credits in one adjustment.")
    per_day = models.BigIntegerField(help_text="Credits in 24 hours.")

    class Meta:
        """A day allows at least one whole adjustment."""

        constraints = [
            models.CheckConstraint(
                condition=Q(per_adjustment__gte=0, per_day__gte=F("per_adjustment")),
                name="staff_limit_of_a_day_is_larger",
            )
        ]

    def __str__(self) -> str:
        """Return whose limits, and what they are."""
        return f"{self.user}: {self.per_adjustment}, {self.per_day} a day"
