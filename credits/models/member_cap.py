"""How many credits a member may use, and what they have used of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import User
from credits.models.wallet import Wallet


class MemberCap(models.Model):
    """The most that one member, or each member, may use in a window (R87).

    Each member is counted alone. Only `ledger_set_cap` writes here.
    """

    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="caps", db_index=False
    )
    member = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: each member.",
    )
    credits = models.BigIntegerField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        """One for each member, and one for all; a cap of 0 allows nothing."""

        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "member"],
                nulls_distinct=False,
                name="member_cap_once",
            ),
            models.CheckConstraint(
                condition=Q(credits__gte=0), name="member_cap_not_negative"
            ),
        ]

    def __str__(self) -> str:
        """Return how much for whom."""
        return f"{self.credits} for {self.member or 'each member'}"


class MemberUsage(models.Model):
    """What a member was charged since an instant, less what was given back of it.

    Kept for wallets with caps only, so that a cap costs no adding up for each job. A
    member without a row, or with one of another window, is added up from the entries.
    """

    pk = models.CompositePrimaryKey("wallet_id", "member_id")
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    member_id = models.BigIntegerField()
    since = models.DateTimeField(help_text="When the window of the caps began.")
    credits = models.BigIntegerField()

    class Meta:
        """Nobody gives back more than they were charged."""

        constraints = [
            models.CheckConstraint(
                condition=Q(credits__gte=0), name="member_usage_not_negative"
            ),
        ]

    def __str__(self) -> str:
        """Return who used how much."""
        return f"{self.credits} by member {self.member_id}"
