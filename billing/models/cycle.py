"""The monthly spans of a subscription."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from billing.models.subscription import Subscription


class Cycle(models.Model):
    """One stored half-open month, with its one grant (R13, R17)."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="cycles"
    )
    index = models.IntegerField(help_text="0 is the first; counted from the anchor.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="The first instant of the next cycle.")
    credits = models.BigIntegerField()
    price_cents = models.BigIntegerField(help_text="Net price of this month (R100).")
    paid_at = models.DateTimeField(null=True, blank=True)
    granted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Each month once, and nothing is granted before it is paid."""

        constraints = [
            models.UniqueConstraint("subscription", "index", name="cycle_once"),
            models.UniqueConstraint(
                "subscription", "starts_at", name="cycle_one_start"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="cycle_has_a_length"
            ),
            models.CheckConstraint(
                condition=Q(granted_at=None) | Q(paid_at__isnull=False),
                name="cycle_granted_after_paid",
            ),
            models.CheckConstraint(
                condition=Q(credits__gte=0, price_cents__gte=0),
                name="cycle_amounts_not_negative",
            ),
        ]

    def __str__(self) -> str:
        """Return subscription and number."""
        return f"cycle {self.index} of {self.subscription}"

    @property
    def source_key(self) -> str:
        """Return the key of this month's grant: one month, one grant."""
        return f"cycle:{self.pk}"
