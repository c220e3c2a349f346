"""Credits that came together, expire together and cost the same."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from credits.models.guards import RowGuard
from credits.models.wallet import Wallet


class GrantSource(models.TextChoices):
    """Where credits come from."""

    PLAN = "PLAN", _("Plan")
    UPGRADE = "UPGRADE", _("Upgrade")
    PURCHASE = "PURCHASE", _("Purchased")
    RELOAD = "RELOAD", _("Auto-reload")
    ADJUSTMENT = "ADJUSTMENT", _("Adjustment")
    PROMO = "PROMO", _("Promotion")
    RESTORE = "RESTORE", _("Restored")
    PACK = "PACK", _("Pack")  # of premium credits, brought in (R34)


class Freeze(models.TextChoices):
    """Why what remains of a grant is not usable. Several reasons can hold at once."""

    NO_PLAN = "NO_PLAN", _("The plan has ended")  # R58: to the grant's own expiry
    DISPUTE = "DISPUTE", _("The payment is disputed")  # R83: the clock stops
    FRAUD_WARNING = "FRAUD_WARNING", _("The payment is in doubt")  # R84: likewise
    PAUSE = "PAUSE", _("The plan is paused")  # R66: likewise


class CreditGrant(models.Model):
    """One lot of credits. `source_key` names the paid thing: one thing, one grant."""

    # No index of all grants of a wallet: each spend would open it, and pages read the
    # open ones.
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="grants", db_index=False
    )
    source = models.CharField(max_length=12, choices=GrantSource)
    source_key = models.CharField(max_length=120)
    granted = models.BigIntegerField()
    remaining = models.BigIntegerField()
    held = models.BigIntegerField(default=0)
    cost_basis_cents = models.BigIntegerField(
        help_text="What the whole grant cost, in cents; 0 for goodwill (R100)."
    )
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="The first instant at which it is gone."
    )
    frozen_for = ArrayField(
        models.CharField(max_length=16, choices=Freeze),
        default=list,
        blank=True,
        help_text="Why it is not usable; empty: it is.",
    )
    clock_stopped_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when its expiry waits, as in a dispute (R83).",
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    is_open = models.BooleanField(help_text="Whether anything remains.")
    created_at = models.DateTimeField()

    class Meta:
        """What can never be; facts that seldom change are guarded by a trigger."""

        constraints = [
            # Not `unique=True`: that is two indexes, and each update opens both.
            models.UniqueConstraint("source_key", name="grant_source_key_once"),
            RowGuard(
                condition=Q(
                    is_open=True,
                    held__gte=0,
                    held__lte=F("remaining"),
                    remaining__gt=0,
                    remaining__lte=F("granted"),
                )
                | Q(is_open=False, held=0, remaining=0),
                name="grant_remaining_within_granted",
            ),
        ]
        indexes = [
            # On is_open, not on `remaining > 0`: an index that names a changing
            # column would cost every spend its in-page update.
            models.Index(
                fields=["wallet", "expires_at", "id"],
                name="grant_open_by_expiry",
                condition=Q(is_open=True),
            ),
            # For alerts, which look for what ends soon in any wallet.
            models.Index(
                fields=["expires_at"],
                name="grant_ends_soon",
                condition=Q(is_open=True, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Return what it was and what is left."""
        return f"{self.source} {self.remaining}/{self.granted}"
