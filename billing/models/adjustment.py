"""Credits up or down by the staff: proposed, approved by others, made once."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Trim
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id
from billing.models.subscription import Subscription
from credits.models import CreditGrant, LedgerEntry, WalletUnit

SHORTEST_COMMENT = 10


class AdjustmentKind(models.TextChoices):
    """What it does."""

    ADD = "ADD", _("Add credits")  # R91
    REMOVE = "REMOVE", _("Remove credits")  # R92
    MOVE_EXPIRY = "MOVE_EXPIRY", _("Let credits expire later")  # R95
    WRITE_OFF_DEBT = "WRITE_OFF_DEBT", _("Write off what is owed")  # R79
    RESTORE_LEGACY = "RESTORE_LEGACY", _("Give a legacy plan back")  # R35
    REVERSAL = "REVERSAL", _("Reverse an adjustment")  # R92


class AdjustmentState(models.TextChoices):
    """Where it stands. PROPOSED waits for as many people as it needs."""

    PROPOSED = "PROPOSED", _("Proposed")
    APPROVED = "APPROVED", _("Approved")
    MADE = "MADE", _("Made")
    REJECTED = "REJECTED", _("Rejected")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


class ReasonCode(models.TextChoices):
    """Why, in one word that can be counted."""

    GOODWILL = "GOODWILL", _("Goodwill")
    INCIDENT = "INCIDENT", _("Incident")
    CORRECTION = "CORRECTION", _("Correction of an error")
    PROMOTION = "PROMOTION", _("Promotion")
    MIGRATION = "MIGRATION", _("Migration")
    LEGAL = "LEGAL", _("Legal")
    OTHER = "OTHER", _("Other")


DROPPED = (AdjustmentState.REJECTED, AdjustmentState.WITHDRAWN)


def new_adjustment_id() -> str:
    """Return a public id for a new adjustment."""
    return new_public_id("adj")


def _of_kind(kind: AdjustmentKind, *named: str, moves: bool = True) -> Q:
    """Return what a kind names, and that it names nothing else."""
    about = ("grant", "expires_at", "subscription", "reverses")
    names = {f"{one}__isnull": one not in named for one in about}
    return Q(kind=kind, credits__gt=0, **names) if moves else Q(kind=kind, **names)


class Adjustment(models.Model):
    """One change that staff make to one wallet, and who agreed to it.

    What was proposed never changes and what was decided is final: triggers see to it.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_adjustment_id)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="adjustments"
    )
    unit = models.CharField(
        max_length=10, choices=WalletUnit, default=WalletUnit.CREDITS
    )
    kind = models.CharField(max_length=14, choices=AdjustmentKind)
    credits = models.BigIntegerField(help_text="How many, whichever way they move.")
    grant = models.ForeignKey(
        CreditGrant,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Which credits; empty: in the order in which jobs use them.",
    )
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Of what is added or expires later."
    )
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The legacy plan that is given back.",
    )
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
    )
    reason_code = models.CharField(max_length=10, choices=ReasonCode)
    comment = models.CharField(max_length=500, help_text="Why; for staff alone.")
    ticket = models.CharField(max_length=120, blank=True)
    customer_note = models.CharField(
        max_length=300, blank=True, help_text="What the customer's statement says."
    )
    notifies = models.BooleanField(
        default=False, help_text="Whether the customer is told by e-mail."
    )
    regards_month = models.DateField(
        null=True, blank=True, help_text="The closed month that it regards (R93)."
    )
    form_key = models.CharField(
        max_length=120, unique=True, help_text="One form sent twice is one adjustment."
    )
    content_hash = models.CharField(
        max_length=64, help_text="SHA-256 of what was proposed."
    )
    previewed = models.JSONField(help_text="The figures before and after, as proposed.")
    limit_credits = models.BigIntegerField(
        help_text="What its maker could adjust alone at that moment."
    )
    approvals_needed = models.SmallIntegerField(
        default=0, help_text="By how many others: 0, 1 or 2 (R35, R91)."
    )

    state = models.CharField(
        max_length=9, choices=AdjustmentState, default=AdjustmentState.PROPOSED
    )
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    first_approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_approved_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)
    entry = models.ForeignKey(
        LedgerEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    bulk_file = models.ForeignKey(
        "billing.BulkFile",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="adjustments",
        db_index=False,
        help_text="The file that it is a row of (R94).",
    )
    bulk_row = models.IntegerField(null=True, blank=True)

    class Meta:
        """Whole, explained, and agreed to by somebody else where that is needed."""

        constraints = [
            models.CheckConstraint(
                condition=_of_kind(AdjustmentKind.ADD, "expires_at")
                | _of_kind(AdjustmentKind.REMOVE)
                | _of_kind(AdjustmentKind.REMOVE, "grant")
                | _of_kind(AdjustmentKind.MOVE_EXPIRY, "grant", "expires_at")
                | _of_kind(AdjustmentKind.WRITE_OFF_DEBT)
                | _of_kind(AdjustmentKind.REVERSAL, "reverses")
                | _of_kind(AdjustmentKind.RESTORE_LEGACY, "subscription", moves=False)
                & Q(credits=0),
                name="adjustment_names_what_it_needs",
            ),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length(Trim("comment")), SHORTEST_COMMENT)
                & Q(reason_code__in=ReasonCode.values, unit__in=WalletUnit.values),
                name="adjustment_says_why",
            ),
            models.CheckConstraint(
                condition=Q(content_hash__regex="^[0-9a-f]{64}$")
                & (Q(regards_month=None) | Q(regards_month__day=1)),
                name="adjustment_content_whole",
            ),
            # R91; R79 and R35 ask for others whatever the credits.
            models.CheckConstraint(
                condition=(
                    Q(approvals_needed=0, credits__lte=F("limit_credits"))
                    & ~Q(kind=AdjustmentKind.WRITE_OFF_DEBT)
                    & ~Q(kind=AdjustmentKind.RESTORE_LEGACY)
                )
                | Q(approvals_needed=1) & ~Q(kind=AdjustmentKind.RESTORE_LEGACY)
                | Q(approvals_needed=2),
                name="adjustment_above_the_limit_needs_others",
            ),
            # NULL passes a check, so each may still be empty.
            models.CheckConstraint(
                condition=(Q(decided_by=None) | ~Q(decided_by=F("proposed_by")))
                & (Q(first_approved_by=None) | ~Q(first_approved_by=F("proposed_by")))
                & (
                    Q(first_approved_by=None)
                    | Q(decided_by=None)
                    | ~Q(decided_by=F("first_approved_by"))
                    | Q(state=AdjustmentState.REJECTED)
                ),
                name="adjustment_is_not_approved_by_its_maker",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=AdjustmentState.PROPOSED, decided_by=None, decided_at=None
                )
                | Q(
                    state__in=[AdjustmentState.APPROVED, AdjustmentState.MADE],
                    approvals_needed=0,
                    decided_by=None,
                    decided_at=None,
                )
                | Q(
                    state__in=[AdjustmentState.APPROVED, AdjustmentState.MADE],
                    approvals_needed=1,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                | Q(
                    state__in=[AdjustmentState.APPROVED, AdjustmentState.MADE],
                    approvals_needed=2,
                    first_approved_by__isnull=False,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                | Q(
                    state=AdjustmentState.REJECTED,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                & ~Q(decision_reason="")
                # Withdrawn by its maker.
                | Q(
                    state=AdjustmentState.WITHDRAWN,
                    decided_by=None,
                    decided_at__isnull=False,
                ),
                name="adjustment_decided_as_needed",
            ),
            models.CheckConstraint(
                condition=Q(state=AdjustmentState.MADE, made_at__isnull=False)
                & (Q(entry__isnull=False) | Q(kind=AdjustmentKind.RESTORE_LEGACY))
                | ~Q(state=AdjustmentState.MADE) & Q(made_at=None, entry=None),
                name="adjustment_made_means_moved",
            ),
            models.UniqueConstraint(
                "reverses",
                condition=Q(reverses__isnull=False) & ~Q(state__in=DROPPED),
                name="adjustment_reversed_once",
            ),
            models.UniqueConstraint(
                "entry",
                condition=Q(entry__isnull=False),
                name="adjustment_one_per_entry",
            ),
            models.UniqueConstraint(
                "bulk_file",
                "bulk_row",
                condition=Q(bulk_file__isnull=False),
                name="adjustment_one_per_row",
            ),
            models.CheckConstraint(
                condition=Q(bulk_file=None, bulk_row=None)
                | Q(bulk_file__isnull=False, bulk_row__gt=0),
                name="adjustment_of_a_file_has_its_row",
            ),
        ]
        indexes = [
            models.Index(
                fields=["proposed_at"],
                name="adjustment_waiting",
                condition=Q(state=AdjustmentState.PROPOSED),
            ),
            models.Index(
                fields=["account", "-proposed_at"], name="adjustment_by_account"
            ),
            # What somebody adjusted alone in a day counts against their limit.
            models.Index(
                fields=["proposed_by", "proposed_at"], name="adjustment_by_maker"
            ),
        ]

    def __str__(self) -> str:
        """Return the public id, kind and state."""
        return f"{self.public_id} {self.kind} {self.state}"

    @property
    def key(self) -> str:
        """Return what its ledger entry and its grant go by."""
        return f"adjustment:{self.pk}"

    @property
    def is_waiting(self) -> bool:
        """Whether somebody else has still to decide."""
        return self.state == AdjustmentState.PROPOSED and self.approvals_needed > 0
