"""Tables that staff asked for as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.public_ids import new_public_id

if TYPE_CHECKING:
    from datetime import datetime


class ExportKind(models.TextChoices):
    """Which table; what is in it says billing.exporting."""

    STATEMENT = "STATEMENT", _("Statement of an account")
    LEDGER = "LEDGER", _("Ledger")
    USAGE = "USAGE", _("Usage")
    PURCHASES = "PURCHASES", _("Purchases")
    INVOICES = "INVOICES", _("Bills")
    REFUNDS = "REFUNDS", _("Refunds")
    DISPUTES = "DISPUTES", _("Disputes")
    LIABILITY = "LIABILITY", _("Credit liability")
    REVENUE = "REVENUE", _("Revenue and breakage")
    DEFERRED = "DEFERRED", _("Deferred revenue")
    JOURNAL = "JOURNAL", _("Journal")
    AUDIT = "AUDIT", _("Audit trail")


class ExportFormat(models.TextChoices):
    """As what kind of file."""

    CSV = "CSV", "CSV"
    XLSX = "XLSX", "XLSX"


class ExportState(models.TextChoices):
    """Where an export stands. Only READY has a file."""

    ASKED = "ASKED", _("Waiting")
    RUNNING = "RUNNING", _("Being made")
    READY = "READY", _("Ready")
    FAILED = "FAILED", _("Failed")
    CANCELED = "CANCELED", _("Canceled")
    EXPIRED = "EXPIRED", _("Deleted")


# They are of the whole business.
REPORTS = (
    ExportKind.LIABILITY,
    ExportKind.REVENUE,
    ExportKind.DEFERRED,
    ExportKind.JOURNAL,
)
UNFINISHED = (ExportState.ASKED, ExportState.RUNNING)
_MADE = (ExportState.READY, ExportState.EXPIRED)


def new_export_id() -> str:
    """Return a public id for a new export."""
    return new_public_id("exp")


class Export(models.Model):
    """One table of one period as a file: first the wish, then how far it is.

    The file is there with READY, whole, or not at all. It belongs to whoever asked.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_export_id)
    kind = models.CharField(max_length=9, choices=ExportKind)
    format = models.CharField(max_length=4, choices=ExportFormat)
    since = models.DateTimeField(help_text="The period's first instant.")
    until = models.DateTimeField(help_text="The first instant after the period.")
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Empty: of all accounts.",
    )
    requested_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="exports"
    )
    state = models.CharField(
        max_length=8, choices=ExportState, default=ExportState.ASKED
    )
    asked_at = models.DateTimeField()
    attempts = models.SmallIntegerField(
        default=0, help_text="Each is of one worker; only the last one counts."
    )
    lease_ends_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on another worker may begin anew."
    )
    rows_done = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    file_name = models.CharField(
        max_length=120, blank=True, help_text="In the storage for exports."
    )
    size = models.BigIntegerField(null=True, blank=True, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="When the file is deleted."
    )
    mailed_at = models.DateTimeField(
        null=True, blank=True, help_text="Told by mail, since it took long."
    )
    error = models.CharField(max_length=300, blank=True, help_text="For people.")

    class Meta:
        """What each state needs, and how the sweeper finds what is due."""

        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ExportKind.values), name="export_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(format__in=ExportFormat.values), name="export_format_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values), name="export_state_known"
            ),
            models.CheckConstraint(
                condition=Q(since__lt=F("until")), name="export_period_not_empty"
            ),
            models.CheckConstraint(
                condition=~Q(kind=ExportKind.STATEMENT) | Q(account__isnull=False),
                name="export_statement_has_an_account",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=REPORTS) | Q(account=None),
                name="export_report_is_of_all",
            ),
            models.CheckConstraint(
                condition=Q(state=ExportState.RUNNING, lease_ends_at__isnull=False)
                | ~Q(state=ExportState.RUNNING) & Q(lease_ends_at=None),
                name="export_running_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, finished_at=None)
                | ~Q(state__in=UNFINISHED) & Q(finished_at__isnull=False),
                name="export_finished_means_finished",
            ),
            models.CheckConstraint(
                condition=Q(state=ExportState.READY) & ~Q(file_name="")
                | ~Q(state=ExportState.READY) & Q(file_name=""),
                name="export_ready_has_a_file",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=_MADE,
                    size__isnull=False,
                    sha256__regex="^[0-9a-f]{64}$",
                    rows_total__isnull=False,
                    rows_done=F("rows_total"),
                    expires_at__isnull=False,
                )
                | ~Q(state__in=_MADE) & Q(size=None, sha256="", expires_at=None),
                name="export_made_means_whole",
            ),
            models.CheckConstraint(
                condition=Q(state=ExportState.FAILED) & ~Q(error="")
                | ~Q(state=ExportState.FAILED) & Q(error=""),
                name="export_failed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(attempts__gte=0, rows_done__gte=0)
                & (Q(rows_total=None) | Q(rows_total__gte=F("rows_done"))),
                name="export_counts_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_by", "-asked_at"], name="export_by_asker"),
            models.Index(
                fields=["asked_at"],
                name="export_unfinished",
                condition=Q(state__in=UNFINISHED),
            ),
            models.Index(
                fields=["expires_at"],
                name="export_file_ends",
                condition=Q(state=ExportState.READY),
            ),
        ]

    def __str__(self) -> str:
        """Return the public id and state."""
        return f"{self.public_id} {self.state}"

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something to wait for, or to cancel."""
        return self.state in UNFINISHED

    @property
    def percent(self) -> int | None:
        """Return how much is done, rounded down; None while nobody knows."""
        if self.rows_total is None:
            return None
        return 100 * self.rows_done // self.rows_total if self.rows_total else 100

    def has_file(self, *, at: datetime) -> bool:
        """Whether its file can be fetched at an instant."""
        return (
            self.state == ExportState.READY
            and self.expires_at is not None
            and at < self.expires_at
        )
