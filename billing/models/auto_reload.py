"""Auto-reload: what was agreed to, each charge, and each that was not made."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from billing.core.reload_policy import Limits, SkipReason
from billing.models.consent import Consent
from billing.models.purchase import Purchase


class Suspension(models.TextChoices):
    """Why auto-reload stopped by itself (R51, R52)."""

    DECLINED = "DECLINED", _("The bank refused the card")
    NOT_CONFIRMED = "NOT_CONFIRMED", _("A payment was not confirmed with the bank")


class AutoReload(models.Model):
    """What one account agreed to: when to charge its card, how much, how often."""

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, related_name="auto_reload"
    )
    is_on = models.BooleanField(default=False)
    threshold = models.BigIntegerField(help_text="Below so many available credits.")
    blocks = models.IntegerField(help_text="At least so many at once.")
    largest_charge_cents = models.BigIntegerField()
    monthly_cap_cents = models.BigIntegerField(help_text="With tax, a cycle month.")
    monthly_cap_count = models.IntegerField()
    stripe_payment_method_id = models.CharField(max_length=64)
    card_fingerprint = models.CharField(max_length=64)
    card_brand = models.CharField(max_length=32)
    card_last4 = models.CharField(max_length=4)
    card_exp_month = models.SmallIntegerField()
    card_exp_year = models.SmallIntegerField()
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="+")
    version = models.IntegerField(
        default=1, help_text="Rises with each change, so that two do not collide (R56)."
    )
    suspension = models.CharField(max_length=13, choices=Suspension, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    failed_fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Of the card that another has to replace."
    )
    looked_at = models.DateTimeField(
        null=True, blank=True, help_text="The sweeper begins with the longest ago."
    )
    changed_at = models.DateTimeField()

    class Meta:
        """Limits that limit something (R57), and a suspension with its reason."""

        constraints = [
            models.CheckConstraint(
                condition=Q(threshold__gt=0), name="auto_reload_threshold_positive"
            ),
            models.CheckConstraint(
                condition=Q(blocks__gte=1, monthly_cap_count__gte=1)
                & Q(largest_charge_cents__gt=0)
                & Q(monthly_cap_cents__gte=F("largest_charge_cents")),
                name="auto_reload_limits_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at=None, suspension="", failed_fingerprint="")
                | Q(suspended_at__isnull=False, suspension__in=Suspension.values),
                name="auto_reload_suspension_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["looked_at"], name="auto_reload_on", condition=Q(is_on=True)
            )
        ]

    def __str__(self) -> str:
        """Return whose it is, and whether it is on."""
        return f"auto-reload of {self.account}: {'on' if self.is_on else 'off'}"

    @property
    def limits(self) -> Limits:
        """Return what the policy has to keep."""
        return Limits(
            threshold=self.threshold,
            blocks=self.blocks,
            largest_charge_cents=self.largest_charge_cents,
            monthly_cap_cents=self.monthly_cap_cents,
            monthly_cap_count=self.monthly_cap_count,
        )


class ReloadTrigger(models.TextChoices):
    """What made a reload due (R45, R46)."""

    THRESHOLD = "THRESHOLD", _("Credits fell below the threshold")
    REFUSED_JOB = "REFUSED_JOB", _("A job needed more credits")
    SETTINGS = "SETTINGS", _("The settings were saved")


class ReloadState(models.TextChoices):
    """Where a reload stands. Only PAID has charged a card."""

    CREATED = "CREATED", _("Started")
    PROCESSING = "PROCESSING", _("Being charged")
    WAITING = "WAITING", _("Declined, tried again later")
    NEEDS_ACTION = "NEEDS_ACTION", _("Needs you to confirm it")
    PAID = "PAID", _("Paid")
    FAILED = "FAILED", _("Failed")
    CANCELED = "CANCELED", _("Not needed any more")


IN_FLIGHT = (
    ReloadState.CREATED,
    ReloadState.PROCESSING,
    ReloadState.WAITING,
    ReloadState.NEEDS_ACTION,
)


class Reload(models.Model):
    """One purchase that nobody has to click for, and how far its charge has come."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="reloads"
    )
    purchase = models.OneToOneField(
        Purchase, on_delete=models.PROTECT, related_name="reload"
    )
    trigger = models.CharField(max_length=11, choices=ReloadTrigger)
    state = models.CharField(
        max_length=12, choices=ReloadState, default=ReloadState.CREATED
    )
    available = models.BigIntegerField(help_text="Credits when it began.")
    threshold = models.BigIntegerField()
    needed = models.BigIntegerField(default=0, help_text="By a refused job; or 0.")
    stripe_payment_method_id = models.CharField(max_length=64)
    card_fingerprint = models.CharField(max_length=64)
    card_last4 = models.CharField(max_length=4)
    attempt = models.IntegerField(
        default=0, help_text="Goes into the idempotency key: reload:<row>:<attempt>."
    )
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When Stripe first heard this attempt's key."
    )
    last_payment_id = models.CharField(
        max_length=64, blank=True, help_text="Stripe's id of the last attempt."
    )
    declines = models.IntegerField(default=0)
    decline_code = models.CharField(max_length=64, blank=True)
    canceled_because = models.CharField(max_length=14, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    action_expires_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """At most one in flight an account (R47): what makes 100 jobs one charge."""

        constraints = [
            models.UniqueConstraint(
                "account",
                condition=Q(state__in=IN_FLIGHT),
                name="reload_one_in_flight_per_account",
            ),
            models.CheckConstraint(
                condition=Q(state__in=IN_FLIGHT, ended_at=None)
                | ~Q(state__in=IN_FLIGHT)
                & Q(ended_at__isnull=False, next_attempt_at=None),
                name="reload_in_flight_until_it_ended",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ReloadState.values)
                & Q(trigger__in=ReloadTrigger.values)
                & Q(attempt__gte=0, declines__gte=0, needed__gte=0),
                name="reload_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReloadState.NEEDS_ACTION)
                | Q(action_expires_at__isnull=False),
                name="reload_action_ends",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="reload_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(fields=["account", "-began_at"], name="reload_by_account"),
        ]

    def __str__(self) -> str:
        """Return what was bought and how far it is."""
        return f"reload {self.purchase.public_id} {self.state}"


class ReloadSkip(models.Model):
    """A charge that was not made, and why: once for each situation, not each minute."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="reload_skips"
    )
    reason = models.CharField(
        max_length=14, choices=[(reason.value, reason.value) for reason in SkipReason]
    )
    situation = models.CharField(
        max_length=80, help_text="What makes it another one: a month, a bill, a reload."
    )
    available = models.BigIntegerField()
    threshold = models.BigIntegerField()
    needed = models.BigIntegerField(default=0)
    month_cents = models.BigIntegerField(help_text="Charged in the month until then.")
    month_count = models.IntegerField()
    skipped_at = models.DateTimeField()

    class Meta:
        """The same is told once."""

        constraints = [
            models.UniqueConstraint(
                "account", "reason", "situation", name="reload_skip_once_told"
            )
        ]
        indexes = [
            models.Index(fields=["account", "-skipped_at"], name="skip_by_account")
        ]

    def __str__(self) -> str:
        """Return the reason."""
        return f"{self.reason} {self.situation}"
