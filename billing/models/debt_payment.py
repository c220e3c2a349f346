"""Money for what is owed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id


class DebtPaymentState(models.TextChoices):
    """Where a payment of a debt stands."""

    OPEN = "OPEN", _("Waiting for payment")
    PAID = "PAID", _("Paid")
    EXPIRED = "EXPIRED", _("Not completed")


def new_debt_payment_id() -> str:
    """Return a public id for a new payment of a debt."""
    return new_public_id("dpy")


class DebtPayment(models.Model):
    """One payment of what an account owes: our intent, then Stripe's word (R79)."""

    public_id = models.CharField(
        max_length=32, unique=True, default=new_debt_payment_id
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="debt_payments"
    )
    payer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=7, choices=DebtPaymentState, default=DebtPaymentState.OPEN
    )
    credits = models.BigIntegerField(help_text="What is owed no longer once paid.")
    cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    stripe_session_id = models.CharField(
        max_length=96, unique=True, null=True, blank=True
    )
    checkout_url = models.TextField(blank=True)
    stripe_payment_intent_id = models.CharField(
        max_length=64, unique=True, null=True, blank=True
    )
    opened_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(
        null=True, blank=True, help_text="When the sweeper looks; empty: it is settled."
    )

    class Meta:
        """One at a time, so that nothing is paid twice."""

        constraints = [
            models.UniqueConstraint(
                "account",
                condition=Q(state="OPEN"),
                name="debt_payment_one_open_per_account",
            ),
            models.CheckConstraint(
                condition=Q(credits__gt=0, cents__gt=0),
                name="debt_payment_amounts_positive",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=DebtPaymentState.PAID,
                    paid_at__isnull=False,
                    stripe_payment_intent_id__isnull=False,
                )
                | Q(
                    state__in=[DebtPaymentState.OPEN, DebtPaymentState.EXPIRED],
                    paid_at=None,
                ),
                name="debt_payment_paid_means_paid",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="debt_payment_due",
                condition=Q(next_check_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Return the public id and state."""
        return f"{self.public_id} {self.state}"
