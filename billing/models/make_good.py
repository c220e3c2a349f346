"""Incidents made good: what jobs cost, given back to the credits that paid for it."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.public_ids import new_public_id
from billing.models.batch import Batch, BatchState
from credits.models import LedgerEntry


def new_make_good_id() -> str:
    """Return a public id for a new make-good."""
    return new_public_id("mg")


class MakeGood(Batch):
    """What jobs used of some features in a span of time, to be given back once."""

    public_id = models.CharField(max_length=32, unique=True, default=new_make_good_id)
    features = ArrayField(models.CharField(max_length=40))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Half-open: not included.")
    reference_prefix = models.CharField(max_length=120, blank=True)
    unit = models.CharField(max_length=10)
    accounts = models.IntegerField(help_text="How many accounts are affected.")
    cents = models.BigIntegerField(help_text="What the credits were paid with (R100).")
    given_credits = models.BigIntegerField(
        default=0, help_text="How many have been given back."
    )
    customer_note = models.CharField(
        max_length=300, help_text="What statements and e-mails say."
    )
    form_key = models.CharField(max_length=120, unique=True)

    class Meta(Batch.Meta):
        """A span of time in which some features failed; undone once."""

        abstract = False
        constraints = [
            *Batch.Meta.constraints,
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), size__gt=0, credits__gt=0)
                & ~Q(features=[])
                & ~Q(customer_note="")
                & ~Q(state=BatchState.CHECKED),
                name="makegood_found_something",
            ),
            models.CheckConstraint(
                condition=Q(given_credits__gte=0, given_credits__lte=F("credits")),
                name="makegood_gives_no_more_than_was_used",
            ),
        ]

    def __str__(self) -> str:
        """Return the public id, features and state."""
        return f"{self.public_id} of {', '.join(self.features)}: {self.state}"

    @property
    def title(self) -> str:
        """Return what it does, in a few words."""
        features = {"features": ", ".join(self.features)}
        if self.undoes_id:
            return _("Undo a make-good of %(features)s") % features
        return _("Make good %(features)s") % features

    @property
    def content(self) -> dict[str, Any]:
        """Return what the audit trail says of it."""
        return {
            "features": self.features,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "reference_prefix": self.reference_prefix,
            "unit": self.unit,
            "accounts": self.accounts,
            "cents": self.cents,
            "given_credits": self.given_credits,
            "undoes": self.undoes.public_id if self.undoes else None,
        }


class MakeGoodDebit(models.Model):
    """What one job used of one feature. No other make-good can have it beside this one.

    Of an undoing it is what one job was given back. The rows of a make-good that was
    dropped are deleted, so that another can have them.
    """

    make_good = models.ForeignKey(
        MakeGood, on_delete=models.PROTECT, related_name="debits", db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    entry = models.ForeignKey(
        LedgerEntry,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="That charged the job; of an undoing, that gave it back.",
    )
    feature = models.CharField(max_length=40, blank=True)
    credits = models.BigIntegerField(help_text="To be given back, or taken back.")
    cents = models.BigIntegerField(help_text="What they were paid with (R100).")
    given_credits = models.BigIntegerField(
        null=True, blank=True, help_text="That really moved; empty: none yet."
    )

    class Meta:
        """Found in the order of accounts, and given back once."""

        constraints = [
            models.UniqueConstraint("entry", "feature", name="makegooddebit_once"),
            models.UniqueConstraint(
                *("make_good", "account", "entry", "feature"),
                name="makegooddebit_by_account",
            ),
            models.CheckConstraint(
                condition=Q(credits__gt=0, cents__gte=0)
                & (
                    Q(given_credits=None)
                    | Q(given_credits__gte=0, given_credits__lte=F("credits"))
                ),
                name="makegooddebit_gives_what_was_used",
            ),
        ]
        indexes = [
            models.Index(
                fields=["make_good", "account", "entry", "feature"],
                name="makegooddebit_to_give",
                condition=Q(given_credits=None),
            )
        ]

    def __str__(self) -> str:
        """Return how much, of which entry."""
        return f"{self.credits} of entry {self.entry_id} {self.feature}".rstrip()

    @property
    def key(self) -> str:
        """Return what the ledger entry goes by that gives it back."""
        return f"make-good:{self.make_good_id}:{self.entry_id}:{self.feature}"
