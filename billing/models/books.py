"""The books beside the ledger: what Stripe's balance did, and what we booked of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class BalanceMovement(models.Model):
    """One movement of Stripe's balance, as it says: never changed, never deleted."""

    stripe_balance_transaction_id = models.CharField(max_length=96, unique=True)
    category = models.CharField(
        max_length=40, help_text="Stripe's reporting_category: charge, dispute, …"
    )
    source_id = models.CharField(
        max_length=96, blank=True, help_text="Stripe's id of the charge or dispute."
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    currency = models.CharField(max_length=3)
    amount_cents = models.BigIntegerField(help_text="Signed, before the fee.")
    fee_cents = models.BigIntegerField()
    booked_at = models.DateTimeField(help_text="When Stripe moved it.")
    recorded_at = models.DateTimeField()

    class Meta:
        """Read by time, as finance does."""

        indexes = [models.Index(fields=["booked_at"], name="balance_movement_by_time")]

    def __str__(self) -> str:
        """Return what it is of."""
        return f"{self.category} of {self.source_id}"


class BookingKind(models.TextChoices):
    """What was booked."""

    PURCHASE = "PURCHASE", _("Blocks paid")
    INVOICE = "INVOICE", _("Bill paid")
    DEBT_PAYMENT = "DEBT_PAYMENT", _("Owed credits paid")
    BROUGHT_IN = "BROUGHT_IN", _("Paid elsewhere")
    REFUND = "REFUND", _("Refund")
    REFUND_UNDONE = "REFUND_UNDONE", _("Refund that failed")
    DISPUTE = "DISPUTE", _("Dispute lost")
    FORFEIT = "FORFEIT", _("Paid months that never came")


# The accounts that a booking may touch, each a column of it.
BOOKED_ACCOUNTS = (
    "receivable",
    "prepaid",
    "tax_payable",
    "customer_credit",
    "revenue",
    "breakage",
    "refunds",
    "dispute_losses",
    "debt_recovered",
    "proration",
    "brought_in",
)


class Booking(models.Model):
    """What moved money between accounts: its cents by account, debit positive.

    What the ledger's draws and Stripe's balance say is not repeated here. Never
    changed, never deleted: what is undone is another booking.
    """

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=13, choices=BookingKind)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reference = models.CharField(max_length=120, help_text="The public id of its row.")
    receivable = models.BigIntegerField(
        default=0, help_text="Between Stripe's balance and what was settled here."
    )
    prepaid = models.BigIntegerField(
        default=0, help_text="Paid for, and not granted yet: months to come."
    )
    tax_payable = models.BigIntegerField(default=0)
    customer_credit = models.BigIntegerField(
        default=0, help_text="What Stripe keeps of a negative bill for later ones."
    )
    revenue = models.BigIntegerField(default=0, help_text="Of plans without credits.")
    breakage = models.BigIntegerField(default=0)
    refunds = models.BigIntegerField(default=0)
    dispute_losses = models.BigIntegerField(default=0)
    debt_recovered = models.BigIntegerField(default=0)
    proration = models.BigIntegerField(
        default=0, help_text="Billed, and in the cost of no credits."
    )
    brought_in = models.BigIntegerField(default=0, help_text="Paid elsewhere.")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        """Debits are credits."""

        constraints = [
            models.CheckConstraint(
                condition=Q(
                    receivable=-(
                        F("prepaid")
                        + F("tax_payable")
                        + F("customer_credit")
                        + F("revenue")
                        + F("breakage")
                        + F("refunds")
                        + F("dispute_losses")
                        + F("debt_recovered")
                        + F("proration")
                        + F("brought_in")
                    )
                ),
                name="booking_balances",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=BookingKind.values), name="booking_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["occurred_at"], name="booking_by_time")]

    def __str__(self) -> str:
        """Return what was booked."""
        return f"{self.kind} {self.reference}"
