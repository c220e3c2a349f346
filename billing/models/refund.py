"""Money that goes back, and what it does to the credits that were paid for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id
from billing.models.debt_payment import DebtPayment
from billing.models.invoice import Invoice
from billing.models.purchase import Purchase


class RefundState(models.TextChoices):
    """Where a refund stands. ASKED is our intent; the others are Stripe's word."""

    ASKED = "ASKED", _("Asked for")
    PENDING = "PENDING", _("On its way")
    DONE = "DONE", _("Refunded")
    FAILED = "FAILED", _("Failed")


# Of these, money went back or is on its way.
STANDING = (RefundState.PENDING, RefundState.DONE)


def new_refund_id() -> str:
    """Return a public id for a new refund."""
    return new_public_id("ref")


def of_one_payment() -> Q:
    """Return the check that exactly one of the kinds of payment is pointed at."""
    kinds = ("purchase", "invoice", "debt_payment")
    either = Q()
    for kind in kinds:
        either |= Q(**{f"{other}__isnull": other != kind for other in kinds})
    return either


class Refund(models.Model):
    """One refund of one payment, whoever asked for it (R81).

    The credits that it is for are those it removed, those that had expired (R86), those
    of months that then never came, and what was spent, which is owed (R78). The figures
    of one that failed tell what was undone.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_refund_id)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="refunds"
    )
    purchase = models.ForeignKey(
        Purchase,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds",
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    debt_payment = models.ForeignKey(
        DebtPayment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds",
    )
    asked_key = models.CharField(
        max_length=120,
        unique=True,
        help_text="What asked for it: one wish, one refund.",
    )
    stripe_refund_id = models.CharField(
        max_length=96, unique=True, null=True, blank=True
    )
    state = models.CharField(
        max_length=7, choices=RefundState, default=RefundState.ASKED
    )
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    takes_all_left = models.BooleanField(
        default=False, help_text="For all that is unspent, whatever was rounded (R77)."
    )
    requested_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the portal itself, or somebody in Stripe's dashboard.",
    )
    reason = models.CharField(max_length=300, blank=True)
    failure = models.CharField(
        max_length=300, blank=True, help_text="Why it failed, in Stripe's words."
    )
    credits_removed = models.BigIntegerField(default=0)
    credits_expired = models.BigIntegerField(
        default=0, help_text="Had ended unspent: no longer breakage (R86)."
    )
    credits_to_come = models.BigIntegerField(
        default=0, help_text="Of paid months that had not begun: they never will."
    )
    credits_waiting = models.BigIntegerField(
        default=0, help_text="Held by jobs: removed or owed once these have ended."
    )
    debt_credits = models.BigIntegerField(default=0)
    debt_cents = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the money had arrived, or had failed to."
    )
    next_check_at = models.DateTimeField(
        null=True, blank=True, help_text="When the sweeper looks; empty: it is over."
    )

    class Meta:
        """Of one payment; nothing moves before Stripe has said so."""

        constraints = [
            models.CheckConstraint(
                condition=of_one_payment(), name="refund_of_one_payment"
            ),
            models.CheckConstraint(
                condition=Q(state__in=RefundState.values), name="refund_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_cents__gt=0,
                    credits_removed__gte=0,
                    credits_expired__gte=0,
                    credits_to_come__gte=0,
                    credits_waiting__gte=0,
                    debt_credits__gte=0,
                    debt_cents__gte=0,
                ),
                name="refund_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=~Q(state=RefundState.ASKED)
                | Q(
                    stripe_refund_id=None,
                    credits_removed=0,
                    credits_expired=0,
                    credits_to_come=0,
                    debt_credits=0,
                ),
                name="refund_moves_nothing_before_stripe_does",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[RefundState.ASKED, RefundState.PENDING], settled_at=None
                )
                | Q(
                    state__in=[RefundState.DONE, RefundState.FAILED],
                    settled_at__isnull=False,
                ),
                name="refund_settled_means_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="refund_due",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["account", "-asked_at"], name="refund_by_account"),
        ]

    def __str__(self) -> str:
        """Return the public id and state."""
        return f"{self.public_id} {self.state}"

    @property
    def source_key(self) -> str:
        """Return what the keys of its ledger entries begin with, by Stripe's id."""
        return f"refund:{self.stripe_refund_id}"

    @property
    def row(self) -> Purchase | Invoice | DebtPayment:
        """Return the row whose payment goes back."""
        row = self.purchase or self.invoice or self.debt_payment
        if row is None:
            message = f"{self} is of no payment."
            raise ValueError(message)
        return row

    @property
    def credits(self) -> int:
        """Return how many of the credits that were paid for it is for."""
        return (
            self.credits_removed
            + self.credits_expired
            + self.credits_to_come
            + self.credits_waiting
            + self.debt_credits
        )
