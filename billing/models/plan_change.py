"""Changes of plan: first our intent, then what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id
from billing.core.transitions import Move, When
from billing.models.invoice import Invoice
from billing.models.plan import PlanVersion
from billing.models.subscription import Interval, Subscription


class ChangeKind(models.TextChoices):
    """What a change does, as the transition table says; or a new price of a plan."""

    SUBSCRIBE = Move.SUBSCRIBE, _("Subscribe")
    UPGRADE = Move.UPGRADE, _("Upgrade")
    DOWNGRADE = Move.DOWNGRADE, _("Downgrade")
    CANCEL = Move.CANCEL, _("Cancel")
    MIGRATE = "MIGRATE", _("New price")  # never asked for by the customer (R36)


class Timing(models.TextChoices):
    """When a change takes effect."""

    NOW = When.NOW, _("at once")
    CYCLE_END = When.CYCLE_END, _("when the paid term ends")


class ChangeState(models.TextChoices):
    """Where a change stands. One in ASKED or UNPAID blocks every other (R39)."""

    ASKED = "ASKED", _("Being made")
    UNPAID = "UNPAID", _("Waiting for payment")
    SCHEDULED = "SCHEDULED", _("Scheduled")
    DONE = "DONE", _("Done")
    UNDONE = "UNDONE", _("Taken back")
    REFUSED = "REFUSED", _("Not made")


def new_change_id() -> str:
    """Return a public id for a new change."""
    return new_public_id("chg")


class PlanChange(models.Model):
    """One change of an account's plan: asked for, shown, and made as shown (R37)."""

    public_id = models.CharField(max_length=32, unique=True, default=new_change_id)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="plan_changes"
    )
    # Null: the account subscribes, and the payment makes the subscription.
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="changes",
    )
    kind = models.CharField(max_length=9, choices=ChangeKind)
    timing = models.CharField(max_length=9, choices=Timing)
    state = models.CharField(
        max_length=9, choices=ChangeState, default=ChangeState.ASKED
    )
    from_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="+"
    )
    to_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="+"
    )
    to_interval = models.CharField(max_length=5, choices=Interval)
    form_key = models.CharField(
        max_length=64, help_text="From the form: a double click is one change."
    )
    preview_hash = models.CharField(
        max_length=64, help_text="Of what was shown and confirmed (R37)."
    )
    currency = models.CharField(max_length=3)
    shown_cents = models.BigIntegerField(help_text="What was shown as due at once.")
    credits_now = models.BigIntegerField(
        help_text="Credits that come with the payment (R22)."
    )
    returned_cents = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="What the month gives back (R30); empty: its time, as Stripe says.",
    )
    returned_credits = models.BigIntegerField(
        default=0, help_text="Credits that are taken back for that."
    )
    # The instant to which the provider prorates: the same for preview and change.
    prorated_at = models.DateTimeField()
    takes_effect_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    requested_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it was refused, or why they leave."
    )
    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="change"
    )
    stripe_session_id = models.CharField(
        max_length=96, unique=True, null=True, blank=True
    )
    checkout_url = models.TextField(blank=True)
    next_check_at = models.DateTimeField(
        null=True, blank=True, help_text="When the sweeper looks; empty: never."
    )

    class Meta:
        """One open change and one scheduled change an account (R25, R39)."""

        constraints = [
            models.UniqueConstraint(
                "account", "form_key", name="plan_change_one_per_form"
            ),
            models.UniqueConstraint(
                "account",
                condition=Q(state__in=["ASKED", "UNPAID"]),
                name="plan_change_one_open",
            ),
            models.UniqueConstraint(
                "account",
                condition=Q(state="SCHEDULED"),
                name="plan_change_one_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ASKED", "UNPAID", "SCHEDULED"], closed_at=None)
                | Q(state__in=["DONE", "UNDONE", "REFUSED"], closed_at__isnull=False),
                name="plan_change_closed_means_over",
            ),
            models.CheckConstraint(
                condition=~Q(state="SCHEDULED")
                | Q(timing="CYCLE_END", takes_effect_at__isnull=False),
                name="plan_change_scheduled_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ChangeKind.values, timing__in=Timing.values),
                name="plan_change_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(credits_now__gte=0, returned_credits__gte=0)
                & (Q(returned_cents=None) | Q(returned_cents__gte=0)),
                name="plan_change_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(kind="SUBSCRIBE") | Q(subscription__isnull=False),
                name="plan_change_of_a_subscription",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="plan_change_due",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(
                fields=["account", "-requested_at"], name="plan_change_by_account"
            ),
        ]

    def __str__(self) -> str:
        """Return the kind, the target and the state."""
        return f"{self.kind} to {self.to_version}: {self.state}"

    @property
    def source_key(self) -> str:
        """Return the key of this change's grant: one change, one grant (R22)."""
        return f"change:{self.pk}"
