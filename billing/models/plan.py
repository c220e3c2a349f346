"""What is offered, in versions that are never edited (R36): plans, blocks, and Free."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.core.transitions import Family


class PlanFamily(models.TextChoices):
    """Plans of one family differ only in size; families differ in rules."""

    FREE = Family.FREE, _("Free")
    CREATOR = Family.CREATOR, _("Creator")
    PRO = Family.PRO, _("Pro")
    BUSINESS = Family.BUSINESS, _("Business")
    LEGACY = Family.LEGACY, _("Legacy")


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

    def lookup_key(self, interval: str) -> str:
        """Return the key by which Stripe knows the price for "MONTH" or "YEAR"."""
        return f"purser_{self.plan.code}_v{self.version}_{interval.lower()}"


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


class FreeVideoOffer(models.Model):
    """How many free videos a month accounts on Free have, from an instant on (R106)."""

    version = models.IntegerField(unique=True)
    starts_at = models.DateTimeField(unique=True)
    default_quota = models.SmallIntegerField(help_text="Where no country is named.")
    quota_by_country = models.JSONField(help_text="ISO code: how many.")
    longest_ms = models.IntegerField(help_text="How long one may be.")

    class Meta:
        """There is at least one, of some length."""

        constraints = [
            models.CheckConstraint(
                condition=Q(default_quota__gte=1, longest_ms__gte=1),
                name="free_video_offer_positive",
            ),
        ]

    def __str__(self) -> str:
        """Return the version and the default."""
        return f"free videos v{self.version}: {self.default_quota}"

    def quota_in(self, country: str) -> int:
        """Return how many there are a month in a country, "" when it is not known."""
        quota: int = self.quota_by_country.get(country, self.default_quota)
        return quota


class FreeVideoNews(models.Model):
    """How far accounts on Free have been told of an offer whose day has come."""

    offer = models.OneToOneField(
        FreeVideoOffer, on_delete=models.PROTECT, related_name="news"
    )
    told_up_to = models.BigIntegerField(
        default=0, null=True, help_text="The last wallet that was told; empty: all."
    )

    def __str__(self) -> str:
        """Return the offer, and how far it was told."""
        return f"{self.offer}, told up to {self.told_up_to}"
