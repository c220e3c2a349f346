"""What a bank says against a payment: disputes, and warnings that come before."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from billing.models.debt_payment import DebtPayment
from billing.models.invoice import Invoice
from billing.models.purchase import Purchase
from billing.models.refund import of_one_payment


class DisputeStatus(models.TextChoices):
    """Stripe's statuses, in our spelling. What begins with WARNING is an inquiry."""

    WARNING_NEEDS_RESPONSE = "WARNING_NEEDS_RESPONSE", _("Inquiry, answer needed")
    WARNING_UNDER_REVIEW = "WARNING_UNDER_REVIEW", _("Inquiry, answered")
    WARNING_CLOSED = "WARNING_CLOSED", _("Inquiry, closed")
    NEEDS_RESPONSE = "NEEDS_RESPONSE", _("Answer needed")
    UNDER_REVIEW = "UNDER_REVIEW", _("Answered, with the bank")
    WON = "WON", _("Won")
    LOST = "LOST", _("Lost")
    PREVENTED = "PREVENTED", _("Prevented")
    APPEAL_NEEDS_RESPONSE = "APPEAL_NEEDS_RESPONSE", _("Lost, can be appealed")
    APPEAL_UNDER_REVIEW = "APPEAL_UNDER_REVIEW", _("Lost, appeal with the bank")


class DisputeEffect(models.TextChoices):
    """What a dispute has done to the credits of its payment, as far as it has come."""

    NONE = "NONE", _("None")
    FROZEN = "FROZEN", _("Frozen")
    RESTORED = "RESTORED", _("Usable again")
    TAKEN = "TAKEN", _("Removed")


class WarningState(models.TextChoices):
    """What became of an early fraud warning."""

    OPEN = "OPEN", _("To be decided")
    KEPT = "KEPT", _("Payment kept")
    REFUNDED = "REFUNDED", _("Payment refunded")
    DISPUTED = "DISPUTED", _("Payment disputed")


CHARGED_BACK = (
    DisputeStatus.NEEDS_RESPONSE,
    DisputeStatus.UNDER_REVIEW,
    DisputeStatus.LOST,
    DisputeStatus.APPEAL_NEEDS_RESPONSE,
    DisputeStatus.APPEAL_UNDER_REVIEW,
)
CLOSED = (
    DisputeStatus.WARNING_CLOSED,
    DisputeStatus.WON,
    DisputeStatus.LOST,
    DisputeStatus.PREVENTED,
)
# While one of these holds, evidence can be handed in, or the dispute given up.
ANSWERABLE = (
    DisputeStatus.WARNING_NEEDS_RESPONSE,
    DisputeStatus.NEEDS_RESPONSE,
)


class Dispute(models.Model):
    """One dispute of one payment, and what it did to the credits that were paid for.

    Amounts are cents as Stripe says them; the credits are what our ledger moved.
    """

    stripe_dispute_id = models.CharField(max_length=96, unique=True)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="disputes"
    )
    purchase = models.ForeignKey(
        Purchase,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="disputes",
    )
    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="disputes",
    )
    debt_payment = models.ForeignKey(
        DebtPayment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="disputes",
    )
    status = models.CharField(max_length=24, choices=DisputeStatus)
    effect = models.CharField(
        max_length=8, choices=DisputeEffect, default=DisputeEffect.NONE
    )
    reason = models.CharField(max_length=60, help_text="In Stripe's words.")
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When its end was heard of."
    )
    frozen_credits = models.BigIntegerField(default=0)
    removed_credits = models.BigIntegerField(default=0)
    debt_credits = models.BigIntegerField(default=0)
    debt_cents = models.BigIntegerField(default=0)
    next_check_at = models.DateTimeField(
        null=True, blank=True, help_text="When the sweeper looks; empty: it is over."
    )

    class Meta:
        """Of one payment; only what was lost takes credits away."""

        constraints = [
            models.CheckConstraint(
                condition=of_one_payment(), name="dispute_of_one_payment"
            ),
            models.CheckConstraint(
                condition=Q(status__in=DisputeStatus.values),
                name="dispute_status_known",
            ),
            models.CheckConstraint(
                condition=Q(effect=DisputeEffect.TAKEN)
                | Q(removed_credits=0, debt_credits=0, debt_cents=0),
                name="dispute_takes_only_what_is_lost",
            ),
            models.CheckConstraint(
                condition=Q(status__in=CLOSED, closed_at__isnull=False)
                | ~Q(status__in=CLOSED) & Q(closed_at=None),
                name="dispute_closed_means_closed",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_cents__gte=0,
                    frozen_credits__gte=0,
                    removed_credits__gte=0,
                    debt_credits__gte=0,
                    debt_cents__gte=0,
                ),
                name="dispute_amounts_not_negative",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="dispute_due",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["account", "-opened_at"], name="dispute_by_account"),
        ]

    def __str__(self) -> str:
        """Return Stripe's id and the status."""
        return f"{self.stripe_dispute_id} {self.status}"

    @property
    def key(self) -> str:
        """Return what the keys of its ledger entries begin with."""
        return f"dispute:{self.pk}"

    @property
    def reason_text(self) -> str:
        """Return the bank's reason as words."""
        return self.reason.replace("_", " ").capitalize()

    @property
    def is_inquiry(self) -> bool:
        """Whether the bank only asks: no money and no credits move (R83)."""
        return self.status.startswith("WARNING")

    @property
    def is_open(self) -> bool:
        """Whether the bank has still to decide."""
        return self.closed_at is None

    @property
    def is_answerable(self) -> bool:
        """Whether evidence can be handed in, or the dispute given up."""
        return self.status in ANSWERABLE


class FraudWarning(models.Model):
    """A card network's word that a payment may be fraud, and what was decided."""

    stripe_warning_id = models.CharField(max_length=96, unique=True)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="fraud_warnings"
    )
    purchase = models.ForeignKey(
        Purchase,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="fraud_warnings",
    )
    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="fraud_warnings",
    )
    debt_payment = models.ForeignKey(
        DebtPayment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="fraud_warnings",
    )
    state = models.CharField(
        max_length=8, choices=WarningState, default=WarningState.OPEN
    )
    fraud_type = models.CharField(max_length=60, help_text="In Stripe's words.")
    is_actionable = models.BooleanField(
        help_text="Whether a refund could still prevent a dispute."
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closing_reason = models.CharField(max_length=300, blank=True)
    frozen_credits = models.BigIntegerField(default=0)

    class Meta:
        """Of one payment; only a person keeps a payment that was warned about."""

        constraints = [
            models.CheckConstraint(
                condition=of_one_payment(), name="fraud_warning_of_one_payment"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=WarningState.OPEN, closed_at=None, closed_by__isnull=True
                )
                | Q(
                    state=WarningState.KEPT,
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                )
                | Q(
                    state__in=[WarningState.REFUNDED, WarningState.DISPUTED],
                    closed_at__isnull=False,
                    closed_by__isnull=True,
                ),
                name="fraud_warning_closed_means_closed",
            ),
            models.CheckConstraint(
                condition=Q(frozen_credits__gte=0),
                name="fraud_warning_amounts_not_negative",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account"],
                name="fraud_warning_open",
                condition=Q(state=WarningState.OPEN),
            )
        ]

    def __str__(self) -> str:
        """Return Stripe's id and the state."""
        return f"{self.stripe_warning_id} {self.state}"

    @property
    def key(self) -> str:
        """Return what the keys of its ledger entries begin with."""
        return f"fraud-warning:{self.pk}"

    @property
    def fraud_text(self) -> str:
        """Return the kind of fraud as words."""
        return self.fraud_type.replace("_", " ").capitalize()
