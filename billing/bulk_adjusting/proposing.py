"""Proposing a file of adjustments, or undoing one as a whole (R94)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import adjusting, batches
from billing.adjusting import AdjustmentRefused
from billing.bulk_adjusting.checking import fill_in
from billing.bulk_adjusting.rows import Row
from billing.models import (
    Adjustment,
    AdjustmentKind,
    AdjustmentState,
    BatchState,
    BulkFile,
)

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def propose(
    file_id: int, *, comment: str, ticket: str, by: User, at: datetime
) -> BulkFile:
    """Propose all that a checked file says; within their limit it begins at once.

    One that was proposed before is returned as it is.

    Raises:
        AdjustmentRefused: rows of it have errors, or it is not explained.

    Source: docs/rules.md R91, R94.
    """
    # Two forms of one person at once share their limit.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    file = BulkFile.objects.select_for_update(no_key=True).get(pk=file_id)
    if file.state != BatchState.CHECKED:
        return file
    if file.errors:
        raise AdjustmentRefused(_("Rows of the file have errors: correct them first."))
    file.comment, file.ticket = comment, ticket
    file.proposed_by, file.proposed_at = by, at
    return _proposed(file, at)


@transaction.atomic
def propose_undo(
    file_id: int, *, comment: str, ticket: str, by: User, at: datetime
) -> BulkFile:
    """Propose to reverse all that a file has done, as far as it is still there.

    Raises:
        AdjustmentRefused: it is not done, nothing is left of it, it is being undone, or
            undoing it is not explained.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    done = BulkFile.objects.select_for_update(no_key=True).get(pk=file_id)
    if not batches.may_be_undone(done):
        message = _("Only a file that is done, and is not being undone, can be undone.")
        raise AdjustmentRefused(message)
    attempt = done.undoings.count() + 1
    undo = BulkFile(
        undoes=done,
        name=done.name,
        file_id=sha256(f"undo:{done.public_id}:{attempt}".encode()).hexdigest(),
        comment=comment,
        ticket=ticket,
        proposed_by=by,
        proposed_at=at,
    )
    rows = _reversals(done)
    if not any(row.before for row in rows):
        raise AdjustmentRefused(_("Nothing is left of it: all was used or reversed."))
    fill_in(undo, rows)
    return _proposed(undo, at)


def _reversible(file: BulkFile) -> list[Adjustment]:
    """Return the adjustments of a file that nobody has reversed, by their rows."""
    made = file.adjustments.filter(state=AdjustmentState.MADE).exclude(
        reversals__state__in=[
            AdjustmentState.PROPOSED,
            AdjustmentState.APPROVED,
            AdjustmentState.MADE,
        ]
    )
    return list(made.select_related("account").order_by("bulk_row"))


def _proposed(file: BulkFile, at: datetime) -> BulkFile:
    batches.limit(file, at=at)
    file.state = BatchState.PROPOSED
    file.save()
    batches.begin_alone(file, at=at)
    return file


def _reversals(done: BulkFile) -> list[Row]:
    """Return what undoes a file, its last row first: `before` is what is left of each.

    What a row added may come back to it when a later one is undone, so all are tried.
    """
    rows = []
    for adjustment in reversed(_reversible(done)):
        was_added = adjustment.kind == AdjustmentKind.ADD
        row = Row(
            number=done.rows[(adjustment.bulk_row or 1) - 1]["number"],
            account=adjustment.account.public_id,
            credits=-adjustment.credits if was_added else adjustment.credits,
            reason=adjustment.reason_code,
            comment=adjustment.comment,
            ticket=adjustment.ticket,
            reverses_id=adjustment.pk,
            before=_left(adjustment),
        )
        row.belongs_to(adjustment.account)
        rows.append(row)
    return rows


def _left(adjustment: Adjustment) -> int:
    try:
        return adjusting.reversal_of(adjustment).credits
    except AdjustmentRefused:
        return 0
