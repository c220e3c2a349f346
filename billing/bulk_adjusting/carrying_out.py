"""Making a file's adjustments, row by row: whoever comes next goes on where one was.

Each row is a transaction with the count of those that are done, so that a crash at any
point repeats none and leaves none out; and it locks one wallet alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.templatetags import units
from billing import adjusting, batches
from billing.adjusting import AdjustmentRefused, Draft, Why
from billing.models import Adjustment, AdjustmentKind, BulkFile, ReasonCode


def carry_out(*, limit: int, at: datetime) -> int:
    """Make the next rows of the files that are under way; return how many those were.

    Less than `limit`: nothing is left, or somebody else is at it.
    """
    for made in range(limit):
        if not _make_next(at):
            return made
    return limit


@transaction.atomic
def _make_next(at: datetime) -> bool:
    file = batches.next_under_way(BulkFile)
    if file is None:
        return False
    row = file.rows[file.done]
    try:
        with transaction.atomic():
            moved = _make(file, row, at)
    except AdjustmentRefused as refused:
        # Since the dry run the credits were used, for instance.
        _note(file, row, str(refused))
    else:
        if moved < abs(row["credits"]):
            said = _("Only %(left)s credits were left to take back.")
            _note(file, row, said % {"left": units.credits(moved)})
    file.done += 1
    if file.done == file.size:
        batches.finish(file, at=at)
    file.save(update_fields=["done", "failures", "state", "finished_at"])
    return True


def _note(file: BulkFile, row: dict[str, Any], why: str) -> None:
    failure = {"number": row["number"], "name": row["name"], "why": why}
    file.failures = [*file.failures, failure]


def _make(file: BulkFile, row: dict[str, Any], at: datetime) -> int:
    """Make the adjustment of a row; return how many credits moved."""
    draft = _draft(row)
    adjustment = adjusting.propose(
        draft,
        Why(
            reason_code=ReasonCode(row["reason"]),
            comment=row["comment"],
            ticket=row["ticket"] or file.ticket,
        ),
        previewed=adjusting.preview(draft, at=at),
        by=file.proposed_by,
        form_key=f"{file.public_id}:{row['number']}",
        needs_approval=bool(file.approvals_needed),
        bulk_row=(file, file.done + 1),
        at=at,
    )
    if file.decided_by:
        adjusting.approve(adjustment.pk, by=file.decided_by, at=at)
    else:
        adjusting.make(adjustment.pk, at=at)
    return draft.credits


def _draft(row: dict[str, Any]) -> Draft:
    if row["reverses_id"]:
        return adjusting.reversal_of(
            Adjustment.objects.select_related("account").get(pk=row["reverses_id"])
        )
    ends = row["expires_at"]
    return Draft(
        account=Account.objects.get(pk=row["account_id"]),
        kind=AdjustmentKind.ADD if row["credits"] > 0 else AdjustmentKind.REMOVE,
        credits=abs(row["credits"]),
        expires_at=datetime.fromisoformat(ends) if ends else None,
        customer_note=row["customer_note"],
    )
