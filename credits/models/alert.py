"""What an account wants to be warned of, and what it was warned of."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from credits.models.wallet import Wallet

ALERTS_LISTED = 10
EXPIRY_DAYS = (30, 7, 1)


class AlertKind(models.TextChoices):
    """What an alert warns of."""

    LOW_BALANCE = "LOW_BALANCE", _("Low balance")
    EXPIRY = "EXPIRY", _("Credits end")


def all_expiry_days() -> list[int]:
    """Return all numbers of days that an expiry can be told ahead."""
    return [*EXPIRY_DAYS]


class AlertSettings(models.Model):
    """When an account is warned, and who else is told. Without a row: the defaults."""

    wallet = models.OneToOneField(
        Wallet,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="alert_settings",
    )
    thresholds = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Warn when fewer credits than this are available.",
    )
    expiry_days = ArrayField(
        models.SmallIntegerField(),
        default=all_expiry_days,
        blank=True,
        help_text="Warn so many days before credits end.",
    )
    emails = ArrayField(
        models.EmailField(),
        default=list,
        blank=True,
        help_text="Told beside owners, billing members and the billing address.",
    )

    class Meta:
        """The lists are short, and all that is in them makes sense."""

        constraints = [
            models.CheckConstraint(
                condition=Q(thresholds__len__lte=ALERTS_LISTED)
                & Q(
                    Func(
                        F("thresholds"),
                        template="0 < ALL (%(expressions)s)",
                        output_field=models.BooleanField(),
                    )
                ),
                name="alert_thresholds_few_and_positive",
            ),
            models.CheckConstraint(
                condition=Q(expiry_days__contained_by=EXPIRY_DAYS),
                name="alert_expiry_days_known",
            ),
            models.CheckConstraint(
                condition=Q(emails__len__lte=ALERTS_LISTED), name="alert_emails_few"
            ),
        ]

    def __str__(self) -> str:
        """Return whose they are."""
        return f"alerts of wallet {self.pk}"


class Alert(models.Model):
    """One warning: once for each threshold in each window.

    A low balance has a threshold of credits, and the cycle as its window; an expiry
    has a threshold of days, and the account's calendar day of the expiry.
    """

    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="alerts", db_index=False
    )
    kind = models.CharField(max_length=12, choices=AlertKind)
    threshold = models.BigIntegerField(help_text="Credits, or days.")
    window_starts_at = models.DateTimeField()
    window_ends_at = models.DateTimeField()
    credits = models.BigIntegerField(help_text="What was available, or was to end.")
    raised_at = models.DateTimeField()

    class Meta:
        """The unique constraint is what "once" means, however many workers look."""

        constraints = [
            models.UniqueConstraint(
                "wallet",
                "kind",
                "threshold",
                "window_starts_at",
                name="alert_once_per_threshold_and_window",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=AlertKind.values), name="alert_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(threshold__gt=0, credits__gte=0), name="alert_of_something"
            ),
            models.CheckConstraint(
                condition=Q(window_starts_at__lt=F("window_ends_at")),
                name="alert_window_has_a_length",
            ),
        ]

    def __str__(self) -> str:
        """Return what it warned of."""
        return f"{self.kind} {self.threshold}"


class Unsubscription(models.Model):
    """An address that wants no alerts of an account. Nobody else can undo it."""

    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="unsubscriptions", db_index=False
    )
    email = models.EmailField()
    since = models.DateTimeField()

    class Meta:
        """An address is one address whatever its case."""

        constraints = [
            models.UniqueConstraint("wallet", Lower("email"), name="unsubscribed_once"),
        ]

    def __str__(self) -> str:
        """Return who unsubscribed."""
        return self.email


class ExpiryWatch(models.Model):
    """Up to which instant the expiries so many days ahead have been told.

    So each run looks at what came due since the last one, and at nothing else. Its
    row is the lock of whoever tells them.
    """

    days = models.SmallIntegerField(primary_key=True)
    told_until = models.DateTimeField()

    class Meta:
        """There is one for each number of days."""

        constraints = [
            models.CheckConstraint(
                condition=Q(days__in=EXPIRY_DAYS), name="expiry_watch_days_known"
            ),
        ]

    def __str__(self) -> str:
        """Return what it watches."""
        return f"expiries {self.days} days ahead"
