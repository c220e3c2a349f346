"""An account as Stripe knows it."""

from __future__ import annotations

from django.db import models

from accounts.models import Account


class Customer(models.Model):
    """One account's customer at Stripe, made at its first purchase."""

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, related_name="customer"
    )
    stripe_customer_id = models.CharField(max_length=64, unique=True)
    country = models.CharField(
        max_length=2, blank=True, help_text="ISO code of the billing address."
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return Stripe's id."""
        return self.stripe_customer_id
