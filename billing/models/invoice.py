"""Bills for plans, as Stripe says they stand."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from billing.models.subscription import Subscription


class InvoiceStatus(models.TextChoices):
    """Stripe's statuses, in our spelling."""

    DRAFT = "DRAFT", _("In preparation")
    OPEN = "OPEN", _("Waiting for payment")
    PAID = "PAID", _("Paid")
    VOID = "VOID", _("Canceled")
    UNCOLLECTIBLE = "UNCOLLECTIBLE", _("Not collected")


class Invoice(models.Model):
    """One bill. Its pages are fetched when asked for: Stripe's links end.

    Amounts are cents as Stripe says them; a change of plan can make the total
    negative, which Stripe keeps as credit of the customer.
    """

    stripe_invoice_id = models.CharField(max_length=96, unique=True)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="invoices"
    )
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="invoices",
    )
    stripe_payment_intent_id = models.CharField(
        max_length=64,
        unique=True,
        null=True,
        blank=True,
        help_text="Of what was charged for it; empty: nothing was.",
    )
    number = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=13, choices=InvoiceStatus)
    reason = models.CharField(max_length=40, help_text="Stripe's billing_reason.")
    currency = models.CharField(max_length=3)
    net_cents = models.BigIntegerField(help_text="Without tax, after discounts.")
    tax_cents = models.BigIntegerField()
    total_cents = models.BigIntegerField()
    due_cents = models.BigIntegerField(help_text="After the customer's credit.")
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(
        null=True, blank=True, help_text="When a payment of it first failed."
    )

    class Meta:
        """Paid has an instant, and the parts make the whole."""

        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=InvoiceStatus.values),
                name="invoice_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.PAID, paid_at__isnull=False)
                | ~Q(status=InvoiceStatus.PAID) & Q(paid_at=None),
                name="invoice_paid_means_paid",
            ),
            models.CheckConstraint(
                condition=Q(total_cents=models.F("net_cents") + models.F("tax_cents")),
                name="invoice_parts_make_the_total",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="invoice_by_account"),
            # Staff look bills up by what is printed on them.
            models.Index(
                fields=["number"],
                name="invoice_by_number",
                condition=~Q(number=""),
            ),
            # R64: what is open when its plan has ended is to be voided.
            models.Index(
                fields=["subscription"],
                name="invoice_open",
                condition=Q(status=InvoiceStatus.OPEN),
            ),
        ]

    def __str__(self) -> str:
        """Return number and status."""
        return f"{self.number or self.stripe_invoice_id} {self.status}"
