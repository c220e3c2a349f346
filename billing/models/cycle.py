"""The monthly spans of a subscription that were paid for."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from billing.models.invoice import Invoice
from billing.models.plan import PlanVersion
from billing.models.subscription import Subscription


class Cycle(models.Model):
    """One stored half-open month, with its one grant (R13, R17).

    A paid month has one cycle, a paid year twelve: they are stored when the term is
    paid, and granted when they begin.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="cycles"
    )
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="cycles"
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="cycles"
    )
    month = models.SmallIntegerField(help_text="0 is the first of its paid term.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="The first instant of the next cycle.")
    expires_at = models.DateTimeField(
        help_text="When its credits end, unless the plan ends before (R14, R15)."
    )
    credits = models.BigIntegerField()
    price_cents = models.BigIntegerField(
        help_text="Net price of its credits: less what was refunded (R82, R100)."
    )
    paid_at = models.DateTimeField()
    granted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Each month once; what is due is found by its index."""

        constraints = [
            # Whoever takes a year in the second in which a month began has both: their
            # credits end at different times (R30).
            models.UniqueConstraint(
                "subscription", "starts_at", "expires_at", name="cycle_one_start"
            ),
            models.UniqueConstraint("invoice", "month", name="cycle_once_paid"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), expires_at__gte=F("ends_at")),
                name="cycle_has_a_length",
            ),
            models.CheckConstraint(
                condition=Q(month__gte=0, month__lt=12), name="cycle_month_of_a_term"
            ),
            models.CheckConstraint(
                condition=Q(credits__gte=0, price_cents__gte=0),
                name="cycle_amounts_not_negative",
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at", "id"],
                name="cycle_due",
                condition=Q(granted_at=None),
            )
        ]

    def __str__(self) -> str:
        """Return subscription and start."""
        return f"cycle of {self.subscription} from {self.starts_at:%Y-%m-%d}"

    @property
    def source_key(self) -> str:
        """Return the key of this month's grant: one month, one grant."""
        return f"cycle:{self.pk}"
