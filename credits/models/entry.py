"""The ledger: immutable signed movements, and what each of them touched."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from credits.models.grant import CreditGrant
from credits.models.guards import RowGuard
from credits.models.hold import Hold
from credits.models.wallet import Wallet


class EntryKind(models.TextChoices):
    """Which command it was."""

    GRANT = "GRANT", _("Credits added")
    SPEND = "SPEND", _("Used")
    HOLD = "HOLD", _("Put on hold")
    EXTEND_HOLD = "EXTEND_HOLD", _("Hold extended")
    CAPTURE = "CAPTURE", _("Used")
    RELEASE = "RELEASE", _("Hold released")
    REVERSE = "REVERSE", _("Given back")
    EXPIRE = "EXPIRE", _("Expired")
    REVOKE = "REVOKE", _("Removed")
    REINSTATE = "REINSTATE", _("Put back")
    FREEZE = "FREEZE", _("Frozen")
    UNFREEZE = "UNFREEZE", _("Usable again")
    MOVE = "MOVE", _("Moved to a later expiry")
    DEBT = "DEBT", _("Owed")
    REPAY = "REPAY", _("Owed credits paid back")
    CLEAR_DEBT = "CLEAR_DEBT", _("No longer owed")


class LedgerEntry(models.Model):
    """One accepted command: never changed, never deleted (a trigger refuses both)."""

    # The unique pairs below begin with these keys: one index less for each spend.
    # No foreign keys here, nor in draws and lines: docs/adr/0020 tells why.
    wallet = models.ForeignKey(
        Wallet,
        on_delete=models.PROTECT,
        related_name="entries",
        db_index=False,
        db_constraint=False,
    )
    seq = models.BigIntegerField(help_text="1, 2, 3 … in each wallet, without gaps.")
    kind = models.CharField(max_length=12, choices=EntryKind)
    credits = models.BigIntegerField(help_text="Signed change of the balance.")
    held = models.BigIntegerField(db_default=0, help_text="Signed change of holds.")
    frozen = models.BigIntegerField(db_default=0, help_text="Signed change.")
    debt = models.BigIntegerField(db_default=0, help_text="Signed change.")
    balance_after = models.BigIntegerField()
    hold = models.ForeignKey(
        Hold,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
        db_index=False,
        db_constraint=False,
    )
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="reversals",
    )
    idempotency_key = models.CharField(max_length=120)
    request_hash = models.BinaryField(
        max_length=32, help_text="What the key stands for (R109)."
    )
    member_id = models.BigIntegerField(null=True, blank=True)
    member = models.CharField(
        max_length=254, blank=True, help_text="Who used them, as known at the time."
    )
    reference = models.CharField(max_length=120, blank=True)
    actor = models.CharField(max_length=120, help_text="What sent the command.")
    reason = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField(help_text="Business time.")
    created_at = models.DateTimeField(help_text="Audit only: drives nothing.")

    class Meta:
        """Gapless, and once per key; that signs fit the kind, a trigger guards."""

        constraints = [
            models.UniqueConstraint("wallet", "seq", name="entry_one_per_number"),
            models.UniqueConstraint(
                "wallet", "idempotency_key", name="entry_one_per_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["hold"], name="entry_by_hold", condition=Q(hold__isnull=False)
            ),
            models.Index(
                fields=["reverses"],
                name="entry_by_reversed",
                condition=Q(reverses__isnull=False),
            ),
            # Few among many: what a statement of one kind would search long for. Not
            # `kind IN`: each spend would prepare the list anew.
            models.Index(
                fields=["wallet", "kind", "seq"],
                name="entry_seldom_kind",
                condition=Q(kind="GRANT") | Q(kind="EXPIRE"),
            ),
            # For what reads all wallets of a time: finance, exports, incidents. As
            # entries come nearly by time, it is a few pages, and a spend hardly pays.
            BrinIndex(
                fields=["occurred_at", "created_at"],
                name="entry_by_time",
                autosummarize=True,
            ),
        ]

    def __str__(self) -> str:
        """Return number, kind and amount."""
        return f"#{self.seq} {self.kind} {self.credits:+d}"


class GrantDraw(models.Model):
    """How far one entry changed one grant. The draws of an entry sum to its credits."""

    pk = models.CompositePrimaryKey("entry_id", "grant_id")
    entry = models.ForeignKey(
        LedgerEntry,
        on_delete=models.PROTECT,
        related_name="draws",
        db_index=False,
        db_constraint=False,
    )
    grant = models.ForeignKey(
        CreditGrant,
        on_delete=models.PROTECT,
        related_name="draws",
        db_index=False,
        db_constraint=False,
    )
    wallet_id = models.BigIntegerField()
    position = models.SmallIntegerField(help_text="0 was taken first.")
    credits = models.BigIntegerField(help_text="Signed, like the entry.")
    held = models.BigIntegerField(db_default=0, help_text="Signed change.")
    frozen = models.BigIntegerField(db_default=0, help_text="Signed change.")
    remaining_after = models.BigIntegerField()

    class Meta:
        """A draw moves something and overdraws nothing."""

        constraints = [
            RowGuard(
                condition=Q(remaining_after__gte=0) & ~Q(credits=0, held=0, frozen=0),
                name="draw_moves_something",
            ),
        ]

    def __str__(self) -> str:
        """Return how much, from which grant."""
        return f"{self.credits:+d} of grant {self.grant_id}"


# The feature of the line that takes back what a job cost above its quote (R71).
ABSORBED = "absorbed"


class UsageLine(models.Model):
    """One measured line of a job, also when it costs nothing (R8)."""

    pk = models.CompositePrimaryKey("entry_id", "position")
    entry = models.ForeignKey(
        LedgerEntry,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,
        db_constraint=False,
    )
    position = models.SmallIntegerField()
    wallet_id = models.BigIntegerField()
    feature = models.CharField(max_length=40)
    quantity = models.BigIntegerField(help_text="Milliseconds, or pieces.")
    rate_version = models.IntegerField()
    credits = models.BigIntegerField()

    class Meta:
        """Nothing measured is negative."""

        constraints = [
            RowGuard(
                # R71: what a job cost above its quote is a line of its own.
                condition=Q(quantity__gte=0, credits__gte=0)
                | Q(feature=ABSORBED, quantity=0, credits__lt=0),
                name="usage_line_not_negative",
            )
        ]

    def __str__(self) -> str:
        """Return what was used and what it cost."""
        return f"{self.quantity} of {self.feature}: {self.credits}"
