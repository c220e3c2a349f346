"""An account's pot of credits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from credits.models.guards import RowGuard

if TYPE_CHECKING:
    from datetime import datetime


class WalletUnit(models.TextChoices):
    """What a wallet counts. Legacy plans count premium credits, in their own wallet."""

    CREDITS = "CREDITS", _("credits")
    PREMIUM = "PREMIUM", _("premium credits")


class SpendingBlock(models.TextChoices):
    """Why a wallet may not be spent from, as billing last said. Empty: it may."""

    NO_PAID_PLAN = "NO_PAID_PLAN", _("The plan of this account uses no credits.")
    PAYMENT_OVERDUE = "PAYMENT_OVERDUE", _("A payment is overdue.")


class Wallet(models.Model):
    """One account's credits: the sum of its ledger, kept beside it and proven by it.

    Only the ledger's SQL functions write here. The balance answers quicker than
    the sum of the entries; `verify_ledger` proves that it never differs.
    """

    # The unique pair below begins with it: one index less for each update.
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="wallets", db_index=False
    )
    unit = models.CharField(
        max_length=10, choices=WalletUnit, default=WalletUnit.CREDITS
    )
    balance = models.BigIntegerField(
        default=0, help_text="Posted credits: the sum of all entries."
    )
    held = models.BigIntegerField(default=0, help_text="Reserved for running jobs.")
    frozen = models.BigIntegerField(default=0, help_text="Not usable for now.")
    debt = models.BigIntegerField(default=0, help_text="Owed for what was refunded.")
    seq = models.BigIntegerField(default=0, help_text="Number of the last entry.")
    next_expiry_at = models.DateTimeField(null=True, blank=True)
    next_grant_id = models.BigIntegerField(
        null=True, blank=True, help_text="Whose turn it is (R2). Empty: look."
    )

    # Terms, pushed down by billing: this app knows no plans.
    rate_plan = models.CharField(max_length=40, default="standard")
    spending_block = models.CharField(max_length=20, choices=SpendingBlock, blank=True)
    way_forward = models.CharField(max_length=300, blank=True)
    cycle_starts_at = models.DateTimeField(null=True, blank=True)
    cycle_ends_at = models.DateTimeField(null=True, blank=True)
    plan_ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When all that plans gave ends (R15, R58)."
    )
    plan_is_over = models.BooleanField(
        db_default=False, help_text="Whether the ledger has ended it."
    )
    spends_until = models.DateTimeField(
        null=True, blank=True, help_text="From then on it may not be spent (R62)."
    )
    free_videos = models.SmallIntegerField(
        null=True, blank=True, help_text="Free ones a month (R106). Empty: none."
    )
    free_video_ms = models.IntegerField(
        null=True, blank=True, help_text="How long one may be, in milliseconds."
    )
    has_caps = models.BooleanField(
        db_default=False, help_text="Whether jobs look for member caps (R87)."
    )
    watched_below = models.BigIntegerField(
        null=True, blank=True, help_text="Fewer available are worth telling billing."
    )
    created_at = models.DateTimeField()

    class Meta:
        """What can never be; facts that seldom change are guarded by a trigger."""

        constraints = [
            models.UniqueConstraint(
                "account", "unit", name="wallet_one_per_account_and_unit"
            ),
            # One guard, not five: each is called for every update.
            RowGuard(
                condition=Q(held__gte=0, frozen__gte=0, debt__gte=0, seq__gte=0)
                & Q(balance__gte=F("held") + F("frozen")),
                name="wallet_available_not_negative",
            ),
        ]
        indexes = [
            # Changes with grants and expiries only, so spends stay in-page updates.
            models.Index(
                fields=["next_expiry_at"],
                name="wallet_expiry_due",
                condition=Q(next_expiry_at__isnull=False),
            ),
            # For alerts: what plans gave ends then.
            models.Index(
                fields=["plan_ends_at"],
                name="wallet_plan_ends_soon",
                condition=Q(plan_is_over=False, plan_ends_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Return whose credits these are."""
        return f"{self.unit} of {self.account}"

    @property
    def available(self) -> int:
        """Return what can be spent: posted less held less frozen (R10)."""
        return self.balance - self.held - self.frozen

    def block_at(self, at: datetime) -> SpendingBlock | None:
        """Return why it may not be spent from at an instant, as `ledger_lock` decides.

        What billing said comes first; then the end of the plan, or of its grace.
        """
        if self.spending_block:
            return SpendingBlock(self.spending_block)
        if self.spends_until is None or at < self.spends_until:
            return None
        is_plan_over = self.plan_ends_at is not None and self.plan_ends_at <= at
        return (
            SpendingBlock.NO_PAID_PLAN
            if is_plan_over
            else SpendingBlock.PAYMENT_OVERDUE
        )
