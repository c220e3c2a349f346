"""Credits reserved for a job that runs."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.public_ids import new_public_id
from credits.models.guards import RowGuard
from credits.models.wallet import Wallet


class HoldState(models.TextChoices):
    """Where a hold stands. Only an open one reserves anything."""

    OPEN = "OPEN", _("On hold")
    CAPTURED = "CAPTURED", _("Charged")
    RELEASED = "RELEASED", _("Not charged")
    EXPIRED = "EXPIRED", _("Timed out")


_CLOSED = (HoldState.CAPTURED, HoldState.RELEASED, HoldState.EXPIRED)


def new_hold_id() -> str:
    """Return a public id for a new hold."""
    return new_public_id("hld")


class Hold(models.Model):
    """One reservation. Which grants it pins is the sum of its entries' draws (R68)."""

    public_id = models.CharField(max_length=32)
    # No foreign key, as in entries. Who asks for a wallet's holds wants the open ones.
    wallet = models.ForeignKey(
        Wallet,
        on_delete=models.PROTECT,
        related_name="holds",
        db_index=False,
        db_constraint=False,
    )
    state = models.CharField(max_length=8, choices=HoldState)
    credits = models.BigIntegerField(
        help_text="Reserved when it was placed: the most that the job can cost (R71)."
    )
    captured = models.BigIntegerField(default=0, help_text="Charged so far.")
    rate_plan = models.CharField(
        max_length=40,
        default="standard",
        help_text="The job is charged at its rates, whatever the plan becomes.",
    )
    rate_version = models.IntegerField(help_text="The job is charged at it (R96).")
    reference = models.CharField(max_length=120, blank=True)
    member_id = models.BigIntegerField(null=True, blank=True)
    member = models.CharField(max_length=254, blank=True)
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Released then, unless extended.")
    extendable_until = models.DateTimeField(help_text="No extension reaches further.")
    closed_at = models.DateTimeField(null=True, blank=True)
    grant_id = models.BigIntegerField(
        null=True, blank=True, help_text="What it pins, as far as that is one grant."
    )

    class Meta:
        """A hold never charges more than it reserved, and ends in time."""

        constraints = [
            models.UniqueConstraint("public_id", name="hold_public_id_once"),
            RowGuard(
                condition=Q(captured__gte=0, captured__lte=F("credits"))
                & Q(
                    expires_at__gt=F("placed_at"), expires_at__lte=F("extendable_until")
                )
                & (
                    Q(state=HoldState.OPEN, closed_at=None)
                    | Q(state__in=_CLOSED, closed_at__isnull=False)
                ),
                name="hold_within_what_was_placed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet", "expires_at"],
                name="hold_open_by_expiry",
                condition=Q(state=HoldState.OPEN),
            )
        ]

    def __str__(self) -> str:
        """Return the public id and state."""
        return f"{self.public_id} {self.state}"
