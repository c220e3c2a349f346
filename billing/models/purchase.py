"""Money for blocks."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id
from billing.models.plan import BlockOffer


class PurchaseState(models.TextChoices):
    """Where a purchase stands. PAID has put credits into the wallet.

    REFUNDED means all of its money: what a part of it takes back leaves it PAID.
    """

    OPEN = "OPEN", _("Waiting for payment")
    PAID = "PAID", _("Paid")
    EXPIRED = "EXPIRED", _("Not completed")
    REFUNDING = "REFUNDING", _("Being refunded")
    REFUNDED = "REFUNDED", _("Refunded")


class PurchaseOrigin(models.TextChoices):
    """Who asked for it: a buyer, or what the account agreed to beforehand."""

    CHECKOUT = "CHECKOUT", _("Bought")
    RELOAD = "RELOAD", _("Auto-reload")


def new_purchase_id() -> str:
    """Return a public id for a new purchase."""
    return new_public_id("pur")


class Purchase(models.Model):
    """One order of blocks: first our intent, then what Stripe says became of it."""

    public_id = models.CharField(max_length=32, unique=True, default=new_purchase_id)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="purchases"
    )
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    offer = models.ForeignKey(BlockOffer, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(
        max_length=8,
        choices=PurchaseOrigin,
        default=PurchaseOrigin.CHECKOUT,
        db_default=PurchaseOrigin.CHECKOUT,
    )
    form_key = models.CharField(
        max_length=64, help_text="From the form: a double click is one purchase."
    )
    state = models.CharField(
        max_length=10, choices=PurchaseState, default=PurchaseState.OPEN
    )
    blocks_asked = models.IntegerField()
    blocks_paid = models.IntegerField(
        null=True, blank=True, help_text="The buyer may change the number at Stripe."
    )
    currency = models.CharField(max_length=3)
    paid_cents = models.BigIntegerField(null=True, blank=True)
    stripe_session_id = models.CharField(
        max_length=96, unique=True, null=True, blank=True
    )
    checkout_url = models.TextField(blank=True)
    stripe_payment_intent_id = models.CharField(
        max_length=64, unique=True, null=True, blank=True
    )
    receipt_url = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    next_check_at = models.DateTimeField(
        null=True, blank=True, help_text="When the sweeper looks; empty: it is settled."
    )
    paid_at = models.DateTimeField(null=True, blank=True)
    credits_expire_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What each state needs, and how the sweeper finds what is due."""

        constraints = [
            models.UniqueConstraint(
                "account", "form_key", name="purchase_one_per_form"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PurchaseState.values),
                name="purchase_state_known",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=PurchaseOrigin.values),
                name="purchase_origin_known",
            ),
            models.CheckConstraint(
                condition=Q(blocks_asked__gte=1)
                & (Q(blocks_paid=None) | Q(blocks_paid__gte=1))
                & (Q(paid_cents=None) | Q(paid_cents__gte=0)),
                name="purchase_amounts_positive",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[PurchaseState.OPEN, PurchaseState.EXPIRED],
                    paid_at=None,
                    blocks_paid=None,
                    paid_cents=None,
                )
                | Q(
                    state__in=[
                        PurchaseState.PAID,
                        PurchaseState.REFUNDING,
                        PurchaseState.REFUNDED,
                    ],
                    paid_at__isnull=False,
                    blocks_paid__isnull=False,
                    paid_cents__isnull=False,
                    stripe_payment_intent_id__isnull=False,
                ),
                name="purchase_paid_means_paid",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="purchase_due",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["account", "-opened_at"], name="purchase_by_account"),
        ]

    def __str__(self) -> str:
        """Return the public id and state."""
        return f"{self.public_id} {self.state}"

    @property
    def source_key(self) -> str:
        """Return the key of this purchase's grant: one purchase, one grant."""
        return f"purchase:{self.pk}"
