"""What each feature costs, by version: published cards are never edited (R96)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RateUnit(models.TextChoices):
    """What a quantity counts."""

    MILLISECOND = "MILLISECOND", _("milliseconds")
    PIECE = "PIECE", _("pieces")


class RateCard(models.Model):
    """One published version of the cost table, in force from an instant on."""

    version = models.IntegerField()
    rate_plan = models.CharField(max_length=40, default="standard")
    starts_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        """A version is published once, and two do not begin at one instant."""

        constraints = [
            models.UniqueConstraint(
                "rate_plan", "version", name="rate_card_version_once"
            ),
            models.UniqueConstraint(
                "rate_plan", "starts_at", name="rate_card_one_start"
            ),
        ]

    def __str__(self) -> str:
        """Return plan and version."""
        return f"{self.rate_plan} v{self.version}"


class Rate(models.Model):
    """One feature's cost as an exact rational: `credits` for every `per` units."""

    rate_card = models.ForeignKey(
        RateCard, on_delete=models.PROTECT, related_name="rates"
    )
    feature = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    unit = models.CharField(max_length=12, choices=RateUnit)
    credits = models.IntegerField(help_text="0: included.")
    per = models.IntegerField(help_text="Quantity that costs `credits`.")
    shown_per = models.CharField(max_length=40, help_text="“minute”, “image”, …")
    note = models.CharField(max_length=200, blank=True)
    position = models.SmallIntegerField()

    class Meta:
        """One rate a feature, never negative, never per nothing."""

        constraints = [
            models.UniqueConstraint("rate_card", "feature", name="rate_once"),
            models.CheckConstraint(
                condition=Q(credits__gte=0, per__gt=0), name="rate_is_a_rational"
            ),
            models.CheckConstraint(
                condition=Q(unit__in=RateUnit.values), name="rate_unit_known"
            ),
        ]

    def __str__(self) -> str:
        """Return the feature and its cost."""
        return f"{self.feature}: {self.credits} per {self.per} {self.unit}"
