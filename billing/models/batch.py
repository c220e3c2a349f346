"""What changes many accounts at once: decided on once, done in steps, never twice."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Trim
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.models.adjustment import SHORTEST_COMMENT


class BatchState(models.TextChoices):
    """Where it stands. What is approved is under way until it is done."""

    CHECKED = "CHECKED", _("Checked")
    PROPOSED = "PROPOSED", _("Waits for approval")
    APPROVED = "APPROVED", _("Under way")
    DONE = "DONE", _("Done")
    REJECTED = "REJECTED", _("Rejected")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


DECIDED = (BatchState.APPROVED, BatchState.DONE)


class Batch(models.Model):
    """Many changes that are proposed, approved and made together (R91, R94).

    Triggers hold it to one way, and what was proposed to what it was.
    """

    public_id: models.CharField[str, str]  # each kind has a beginning of its own
    state = models.CharField(max_length=9, choices=BatchState)
    comment = models.CharField(
        max_length=500, blank=True, help_text="Why; for staff alone."
    )
    ticket = models.CharField(max_length=120, blank=True)
    credits = models.BigIntegerField(
        default=0, help_text="How many move, whichever way."
    )
    limit_credits = models.BigIntegerField(
        default=0, help_text="What its maker could adjust alone at that moment."
    )
    approvals_needed = models.SmallIntegerField(
        default=0, help_text="By how many others: 0 or 1."
    )
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    size = models.IntegerField(default=0, help_text="How many rows it has.")
    done = models.IntegerField(default=0, help_text="How many of them are done.")
    finished_at = models.DateTimeField(null=True, blank=True)
    undoes = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="undoings",
    )

    class Meta:
        """Explained, agreed to by another if that is needed, done and undone once."""

        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length(Trim("comment")), SHORTEST_COMMENT)
                | Q(state=BatchState.CHECKED),
                name="%(class)s_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state=BatchState.CHECKED)
                | Q(approvals_needed=0, credits__lte=F("limit_credits"))
                | Q(approvals_needed=1),
                name="%(class)s_above_the_limit_needs_another",
            ),
            # NULL passes a check: nobody has decided yet.
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="%(class)s_is_not_approved_by_its_maker",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[BatchState.CHECKED, BatchState.PROPOSED],
                    decided_by=None,
                    decided_at=None,
                )
                | Q(state__in=DECIDED, approvals_needed=0, decided_by=None)
                | Q(
                    state__in=DECIDED,
                    approvals_needed=1,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                | Q(
                    state=BatchState.REJECTED,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                & ~Q(decision_reason="")
                | Q(
                    state=BatchState.WITHDRAWN,
                    decided_by=None,
                    decided_at__isnull=False,
                ),
                name="%(class)s_decided_as_needed",
            ),
            models.CheckConstraint(
                condition=Q(done__gte=0, done__lte=F("size"))
                & (
                    Q(state__in=DECIDED)
                    & (
                        Q(state=BatchState.DONE, done=F("size"))
                        | ~Q(state=BatchState.DONE)
                    )
                    | ~Q(state__in=DECIDED) & Q(done=0)
                )
                & (
                    Q(state=BatchState.DONE, finished_at__isnull=False)
                    | ~Q(state=BatchState.DONE) & Q(finished_at=None)
                ),
                name="%(class)s_done_means_all",
            ),
            models.UniqueConstraint(
                "undoes",
                condition=Q(undoes__isnull=False)
                & ~Q(state__in=[BatchState.REJECTED, BatchState.WITHDRAWN]),
                name="%(class)s_undone_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["proposed_at"],
                name="%(class)s_open",
                condition=Q(state__in=[BatchState.PROPOSED, BatchState.APPROVED]),
            )
        ]

    @property
    def is_waiting(self) -> bool:
        """Whether somebody else has still to decide."""
        return self.state == BatchState.PROPOSED

    @property
    def is_under_way(self) -> bool:
        """Whether it was agreed to, and not all of it is made."""
        return self.state == BatchState.APPROVED
