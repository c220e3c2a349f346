"""Files of adjustments: checked, proposed and made as a whole (R94)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.public_ids import new_public_id
from billing.models.batch import Batch, BatchState


def new_bulk_file_id() -> str:
    """Return a public id for a new file."""
    return new_public_id("bulk")


class BulkFile(Batch):
    """A file of adjustments, or the undoing of one: each of its rows is one of them."""

    public_id = models.CharField(max_length=32, unique=True, default=new_bulk_file_id)
    name = models.CharField(
        max_length=120, blank=True, help_text="Another name makes it another file."
    )
    file_id = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of its content and its name."
    )
    rows = models.JSONField(help_text="What it says, row by row, and what that does.")
    errors = models.IntegerField(default=0, help_text="How many rows cannot be made.")
    added = models.BigIntegerField(default=0, help_text="Credits added in all.")
    removed = models.BigIntegerField(default=0, help_text="Credits removed in all.")
    failures = models.JSONField(
        default=list, help_text="Rows that could no longer be made, and why."
    )

    class Meta(Batch.Meta):
        """A file once, without errors; undone once."""

        abstract = False
        constraints = [
            *Batch.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state=BatchState.CHECKED) | Q(errors=0),
                name="bulkfile_with_errors_is_not_proposed",
            ),
            models.CheckConstraint(
                condition=Q(file_id__regex="^[0-9a-f]{64}$"), name="bulkfile_has_its_id"
            ),
        ]

    def __str__(self) -> str:
        """Return the public id, size and state."""
        return f"{self.public_id} of {self.size} rows: {self.state}"

    @property
    def title(self) -> str:
        """Return what it does, in a few words."""
        if self.undoes_id:
            return _("Undo a file of adjustments")
        return _("A file of adjustments")

    @property
    def content(self) -> dict[str, Any]:
        """Return what the audit trail says of it."""
        return {
            "file_id": self.file_id,
            "name": self.name,
            "added": self.added,
            "removed": self.removed,
            "undoes": self.undoes.public_id if self.undoes else None,
            "failures": len(self.failures),
        }
