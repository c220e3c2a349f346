"""What is offered: plans and blocks, in versions that are never edited (R36)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class PlanFamily(models.TextChoices):
    """Plans of one family differ only in size; families differ in rules."""

    FREE = "FREE", _("Free")
    CREATOR = "CREATOR", _("Creator")
    PRO = "PRO", _("Pro")
    BUSINESS = "BUSINESS", _("Business")
    LEGACY = "LEGACY", _("Legacy")


class Plan(models.Model):
    """An offer by name; what it contains and costs is in its versions."""

    code = models.SlugField(max_length=40, unique=True)
    family = models.CharField(max_length=10, choices=PlanFamily)
    name = models.CharField(max_length=60)
    position = models.SmallIntegerField(help_text="Order on the plans page.")

    class Meta:
        """The family is one that the rules know."""

        constraints = [
            models.CheckConstraint(
                condition=Q(family__in=PlanFamily.values), name="plan_family_known"
            )
        ]

    def __str__(self) -> str:
        """Return the code."""
        return self.code


class PlanVersion(models.Model):
    """One immutable, priced revision of a plan. Subscriptions point at one."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    version = models.IntegerField()
    starts_at = models.DateTimeField()
    cycle_credits = models.BigIntegerField(help_text="Credits for each monthly cycle.")
    month_cents = models.BigIntegerField(null=True, blank=True)
    year_cents = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    sells_blocks = models.BooleanField(help_text="Whether blocks can be bought (R42).")
    is_sample_price = models.BooleanField(help_text="A placeholder: set your own.")

    class Meta:
        """A version is published once; amounts are amounts."""

        constraints = [
            models.UniqueConstraint("plan", "version", name="plan_version_once"),
            models.UniqueConstraint("plan", "starts_at", name="plan_version_one_start"),
            models.CheckConstraint(
                condition=Q(cycle_credits__gte=0)
                & (Q(month_cents=None) | Q(month_cents__gte=0))
                & (Q(year_cents=None) | Q(year_cents__gte=0)),
                name="plan_version_amounts_not_negative",
            ),
        ]

    def __str__(self) -> str:
        """Return plan and version."""
        return f"{self.plan} v{self.version}"


class BlockOffer(models.Model):
    """What a block of credits is and costs, from an instant on (R105)."""

    version = models.IntegerField(unique=True)
    starts_at = models.DateTimeField(unique=True)
    credits = models.BigIntegerField(help_text="Credits in one block.")
    cents = models.BigIntegerField(help_text="Price of one block.")
    currency = models.CharField(max_length=3)
    min_blocks = models.IntegerField()
    max_blocks = models.IntegerField()
    expires_after_months = models.IntegerField(
        null=True, blank=True, help_text="Empty: never."
    )

    class Meta:
        """A block is of something, for something, in sensible numbers."""

        constraints = [
            models.CheckConstraint(
                condition=Q(credits__gt=0, cents__gt=0), name="block_offer_positive"
            ),
            models.CheckConstraint(
                condition=Q(min_blocks__gte=1, max_blocks__gte=F("min_blocks")),
                name="block_offer_range",
            ),
        ]

    def __str__(self) -> str:
        """Return the version and the price."""
        return f"block v{self.version}: {self.credits} for {self.cents} cents"

    @property
    def lookup_key(self) -> str:
        """Return the key by which Stripe knows the price."""
        return f"purser_block_v{self.version}"
