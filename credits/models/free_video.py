"""Free videos: what accounts on Free may make (R106)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from credits.models.wallet import Wallet


class FreeVideo(models.Model):
    """One free video that an account has claimed: never changed, never deleted.

    Only `ledger_claim_free_video` writes here. No credits are involved.
    """

    # The unique pair below begins with it.
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="claims", db_index=False
    )
    number = models.SmallIntegerField(help_text="1, 2 … in its month.")
    quota = models.SmallIntegerField(help_text="How many there were in it.")
    milliseconds = models.IntegerField()
    reference = models.CharField(max_length=120, blank=True)
    actor = models.CharField(max_length=120, help_text="What sent the claim.")
    idempotency_key = models.CharField(max_length=120)
    claimed_at = models.DateTimeField()

    class Meta:
        """Once per key, and never more than there were."""

        constraints = [
            models.UniqueConstraint(
                "wallet", "idempotency_key", name="free_video_one_per_key"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=F("quota"), milliseconds__gte=1),
                name="free_video_within_quota",
            ),
        ]
        indexes = [
            models.Index(fields=["wallet", "claimed_at"], name="free_video_by_month")
        ]

    def __str__(self) -> str:
        """Return which of how many."""
        return f"{self.number} of {self.quota}"
