"""Deciding on what changes many accounts at once, and taking it step by step.

Whoever decides or works takes the batch's row first, so that of two at once the second
reads what the first has done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.templatetags import units
from billing import adjusting, approval_notices
from billing.adjusting import AdjustmentRefused, DecidedBefore
from billing.approval_notices import Proposal
from billing.models import SHORTEST_COMMENT, BatchState, BulkFile, MakeGood

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

    AnyBatch = BulkFile | MakeGood
    B = TypeVar("B", BulkFile, MakeGood)

LEVELS = {
    BatchState.CHECKED: "neutral",
    BatchState.PROPOSED: "warning",
    BatchState.APPROVED: "info",
    BatchState.DONE: "success",
    BatchState.REJECTED: "danger",
    BatchState.WITHDRAWN: "neutral",
}
_DROPPED = (BatchState.REJECTED, BatchState.WITHDRAWN)
_NAMES = {BulkFile: "bulk_file", MakeGood: "make_good"}
VIEWS = {
    BulkFile: "billing:staff_bulk_file",
    MakeGood: "billing:staff_make_good",
}


def limit(batch: AnyBatch, *, at: datetime) -> None:
    """Write down what its maker may move alone, and whether another has to agree.

    Raises:
        AdjustmentRefused: it is not explained.
    """
    if len(batch.comment.strip()) < SHORTEST_COMMENT:
        message = _("Say why in at least %(least)s characters.")
        raise AdjustmentRefused(message % {"least": SHORTEST_COMMENT})
    batch.limit_credits = adjusting.room(batch.proposed_by, at=at)
    batch.approvals_needed = int(batch.credits > batch.limit_credits)


def begin_alone(batch: AnyBatch, *, at: datetime) -> None:
    """Let a proposal begin that needs nobody else, or ask whoever may approve."""
    record("proposed", batch, batch.proposed_by, at=at)
    if batch.approvals_needed:
        approval_notices.ask(_proposal(batch), at=at)
        return
    batch.state = BatchState.APPROVED
    batch.save(update_fields=["state"])


@transaction.atomic
def approve(batch: B, *, by: User, at: datetime) -> B:
    """Agree to a batch; whoever works takes it up from here.

    Raises:
        DecidedBefore: there is nothing to decide any more.
        AdjustmentRefused: it is their own.

    Source: docs/rules.md R91, R94.
    """
    batch = _to_decide(batch)
    if by == batch.proposed_by:
        raise AdjustmentRefused(_("This is your own: somebody else has to approve it."))
    batch.state, batch.decided_by, batch.decided_at = BatchState.APPROVED, by, at
    batch.save(update_fields=["state", "decided_by", "decided_at"])
    record("approved", batch, by, at=at)
    approval_notices.answer(_proposal(batch), by=by, is_approved=True, at=at)
    return batch


@transaction.atomic
def reject(batch: B, *, by: User, reason: str, at: datetime) -> B:
    """Refuse a batch for good, and say why.

    Raises:
        DecidedBefore: there is nothing to decide any more.
        AdjustmentRefused: it is their own: they can withdraw it.
    """
    batch = _to_decide(batch)
    if by == batch.proposed_by:
        raise AdjustmentRefused(_("This is your own: withdraw it instead."))
    batch.state, batch.decision_reason = BatchState.REJECTED, reason
    batch.decided_by, batch.decided_at = by, at
    batch.save(update_fields=["state", "decision_reason", "decided_by", "decided_at"])
    record("rejected", batch, by, reason=reason, at=at)
    approval_notices.answer(
        _proposal(batch), by=by, is_approved=False, reason=reason, at=at
    )
    return batch


@transaction.atomic
def withdraw(batch: B, *, by: User, at: datetime) -> B:
    """Take back one's own proposal.

    Raises:
        DecidedBefore: there is nothing to take back any more.
        AdjustmentRefused: it is somebody else's.
    """
    batch = _to_decide(batch)
    if by != batch.proposed_by:
        raise AdjustmentRefused(_("Only who proposed it can withdraw it."))
    batch.state, batch.decided_at = BatchState.WITHDRAWN, at
    batch.save(update_fields=["state", "decided_at"])
    record("withdrawn", batch, by, at=at)
    return batch


def may_be_undone(batch: AnyBatch) -> bool:
    """Whether a batch is done, and no undoing, and nobody has proposed to undo it."""
    if batch.state != BatchState.DONE or batch.undoes_id:
        return False
    return not batch.undoings.exclude(state__in=_DROPPED).exists()


def next_under_way(model: type[B]) -> B | None:
    """Return the oldest batch that is under way, its row locked until the commit.

    None: there is none, or somebody else is at it.
    """
    waiting = model.objects.filter(state=BatchState.APPROVED).order_by("proposed_at")
    return (
        waiting.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("proposed_by", "decided_by")
        .first()
    )


def finish(batch: AnyBatch, *, at: datetime) -> None:
    """Note that all of a batch is made."""
    batch.state, batch.finished_at = BatchState.DONE, at
    record("done", batch, "system", at=at)


def record(
    what: str,
    batch: AnyBatch,
    by: User | str,
    *,
    at: datetime,
    reason: str = "",
) -> None:
    """Write down what became of a batch, and who did it."""
    auditing.record(
        action=f"{_NAMES[type(batch)]}.{what}",
        actor=by,
        target=batch.public_id,
        before={"done": 0, "size": batch.size},
        after={
            "credits": batch.credits,
            "done": batch.done,
            "approvals_needed": batch.approvals_needed,
            **batch.content,
        },
        reason=reason or batch.comment,
        at=at,
    )


def _proposal(batch: AnyBatch) -> Proposal:
    amount = units.plural_credits(batch.credits)
    return Proposal(
        key=f"{_NAMES[type(batch)]}:{batch.pk}",
        what=f"{batch.title} ({amount})",
        comment=batch.comment,
        maker=batch.proposed_by,
        view=VIEWS[type(batch)],
        public_id=batch.public_id,
        approvals_needed=batch.approvals_needed,
    )


def _to_decide(batch: B) -> B:
    locked = (
        type(batch)
        .objects.select_for_update(of=("self",), no_key=True)
        .select_related("proposed_by", "decided_by")
        .get(pk=batch.pk)
    )
    if locked.state != BatchState.PROPOSED:
        message = _("There is nothing to decide any more: it is %(state)s.")
        state = locked.get_state_display().lower()
        raise DecidedBefore(message % {"state": state})
    return locked


def files_waiting(_at: datetime) -> int:
    """Return how many files of adjustments wait for somebody else."""
    return BulkFile.objects.filter(state=BatchState.PROPOSED).count()


def make_goods_waiting(_at: datetime) -> int:
    """Return how many make-goods wait for somebody else."""
    return MakeGood.objects.filter(state=BatchState.PROPOSED).count()
