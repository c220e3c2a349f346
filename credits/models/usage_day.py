"""What busy wallets used, added up ahead of its readers."""

from __future__ import annotations

from django.db import models

from credits.models.wallet import Wallet


class UsageMark(models.Model):
    """Up to which entry a wallet's usage is added up, by the days of a time zone.

    Marks, days and weeks may be thrown away at any time: they are made anew from the
    ledger.
    """

    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="usage_marks", db_index=False
    )
    zone = models.CharField(max_length=64)
    seq = models.BigIntegerField(help_text="Entries after it are not in the days.")
    weeks_seq = models.BigIntegerField(
        db_default=0, help_text="Weeks serve no reader while it differs from `seq`."
    )

    class Meta:
        """One sum for each zone."""

        constraints = [
            models.UniqueConstraint(
                "wallet", "zone", name="usage_mark_one_per_wallet_and_zone"
            ),
        ]

    def __str__(self) -> str:
        """Return how far which days go."""
        return f"days of {self.zone} up to #{self.seq}"


class UsageDay(models.Model):
    """What one member used of one feature on one day, in the entries up to a mark."""

    pk = models.CompositePrimaryKey("mark_id", "day", "feature", "member")
    mark = models.ForeignKey(
        UsageMark, on_delete=models.CASCADE, related_name="days", db_index=False
    )
    day = models.DateField(help_text="Of the mark's time zone (R16).")
    feature = models.CharField(max_length=40)
    member = models.CharField(max_length=254, blank=True)
    quantity = models.BigIntegerField()
    credits = models.BigIntegerField()
    rate_version = models.IntegerField(help_text="The newest of them.")
    first_seq = models.BigIntegerField(help_text="Number of the first entry in it.")
    last_seq = models.BigIntegerField(help_text="Number of the last entry in it.")

    class Meta:
        """A sum of entries that exist."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gte=0,
                    first_seq__gte=1,
                    last_seq__gte=models.F("first_seq"),
                ),
                name="usage_day_sums_entries",
            )
        ]

    def __str__(self) -> str:
        """Return the day, what was used and its cost."""
        return f"{self.day} {self.feature}: {self.credits}"


class UsageWeek(models.Model):
    """What the days of a week add up to, for who looks at a year."""

    pk = models.CompositePrimaryKey("mark_id", "week", "feature", "member")
    mark = models.ForeignKey(
        UsageMark, on_delete=models.CASCADE, related_name="weeks", db_index=False
    )
    week = models.DateField(help_text="Its Monday.")
    feature = models.CharField(max_length=40)
    member = models.CharField(max_length=254, blank=True)
    quantity = models.BigIntegerField()
    credits = models.BigIntegerField()
    rate_version = models.IntegerField(help_text="The newest of them.")

    class Meta:
        """Weeks are those of ISO 8601."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0, week__iso_week_day=1),
                name="usage_week_begins_on_monday",
            )
        ]

    def __str__(self) -> str:
        """Return the week, what was used and its cost."""
        return f"week of {self.week} {self.feature}: {self.credits}"
