"""Deciding on an adjustment, and making it: once, by whoever is first.

Each takes the adjustment's row first, so of two who decide at once the second reads
what the first has done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from billing.adjusting import effects, notices, wording
from billing.adjusting.drafts import AdjustmentRefused, draft_of
from billing.adjusting.proposing import propose, record
from billing.finance import months
from billing.models import Adjustment, AdjustmentState

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from billing.adjusting.drafts import Draft, Why
    from billing.adjusting.previewing import Preview


class DecidedBefore(AdjustmentRefused):
    """Somebody else was quicker, or its maker withdrew it."""


@transaction.atomic
def adjust(
    draft: Draft, why: Why, *, previewed: Preview, by: User, form_key: str, at: datetime
) -> Adjustment:
    """Propose an adjustment, and make it at once if that needs nobody else.

    Raises:
        AdjustmentRefused: see `propose` and `make`: nothing was recorded.
    """
    adjustment = propose(
        draft, why, previewed=previewed, by=by, form_key=form_key, at=at
    )
    if adjustment.approvals_needed or adjustment.state != AdjustmentState.PROPOSED:
        return adjustment
    return make(adjustment.pk, at=at)


@transaction.atomic
def make(adjustment_id: int, *, at: datetime) -> Adjustment:
    """Make an adjustment that needs nobody else; one that is made already is returned.

    Raises:
        AdjustmentRefused: others have to approve it, or the credits are not there.
    """
    adjustment = _locked(adjustment_id)
    if adjustment.state == AdjustmentState.MADE:
        return adjustment
    if adjustment.is_waiting:
        raise AdjustmentRefused(_("Somebody else has to approve this."))
    _require_open(adjustment)
    adjustment.state = AdjustmentState.APPROVED
    adjustment.save(update_fields=["state"])
    return _made(adjustment, adjustment.proposed_by, at)


@transaction.atomic
def approve(adjustment_id: int, *, by: User, at: datetime) -> Adjustment:
    """Agree to an adjustment; with the last agreement that it needs it is made.

    Raises:
        DecidedBefore: there is nothing to decide any more.
        AdjustmentRefused: it is their own, or they agreed before, or the credits are
            not there: then nothing was decided.

    Source: docs/rules.md R35, R91.
    """
    adjustment = _locked(adjustment_id)
    _require_open(adjustment)
    _require_another(adjustment, by)
    if adjustment.approvals_needed > 1 and adjustment.first_approved_by is None:
        adjustment.first_approved_by, adjustment.first_approved_at = by, at
        adjustment.save(update_fields=["first_approved_by", "first_approved_at"])
        record("adjustment.approved_first", adjustment, by, at=at)
        return adjustment
    adjustment.state = AdjustmentState.APPROVED
    adjustment.decided_by, adjustment.decided_at = by, at
    adjustment.save(update_fields=["state", "decided_by", "decided_at"])
    notices.answer(adjustment, by=by, is_approved=True, at=at)
    return _made(adjustment, by, at)


@transaction.atomic
def reject(adjustment_id: int, *, by: User, reason: str, at: datetime) -> Adjustment:
    """Refuse an adjustment for good, and say why.

    Raises:
        DecidedBefore: there is nothing to decide any more.
        AdjustmentRefused: it is their own: they can withdraw it.
    """
    adjustment = _locked(adjustment_id)
    _require_open(adjustment)
    if by == adjustment.proposed_by:
        raise AdjustmentRefused(_("This is your own: withdraw it instead."))
    adjustment.state, adjustment.decision_reason = AdjustmentState.REJECTED, reason
    adjustment.decided_by, adjustment.decided_at = by, at
    adjustment.save(
        update_fields=["state", "decision_reason", "decided_by", "decided_at"]
    )
    record("adjustment.rejected", adjustment, by, reason=reason, at=at)
    notices.answer(adjustment, by=by, is_approved=False, reason=reason, at=at)
    return adjustment


@transaction.atomic
def withdraw(adjustment_id: int, *, by: User, at: datetime) -> Adjustment:
    """Take back one's own proposal.

    Raises:
        DecidedBefore: there is nothing to take back any more.
        AdjustmentRefused: it is somebody else's.
    """
    adjustment = _locked(adjustment_id)
    _require_open(adjustment)
    if by != adjustment.proposed_by:
        raise AdjustmentRefused(_("Only who proposed it can withdraw it."))
    adjustment.state, adjustment.decided_at = AdjustmentState.WITHDRAWN, at
    adjustment.save(update_fields=["state", "decided_at"])
    record("adjustment.withdrawn", adjustment, by, at=at)
    return adjustment


def _locked(adjustment_id: int) -> Adjustment:
    return (
        Adjustment.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "account", "proposed_by", "first_approved_by", "decided_by", "reverses"
        )
        .get(pk=adjustment_id)
    )


def _require_open(adjustment: Adjustment) -> None:
    if adjustment.state != AdjustmentState.PROPOSED:
        message = _("There is nothing to decide any more: it is %(state)s.")
        state = adjustment.get_state_display().lower()
        raise DecidedBefore(message % {"state": state})


def _require_another(adjustment: Adjustment, by: User) -> None:
    if by == adjustment.proposed_by:
        raise AdjustmentRefused(_("This is your own: somebody else has to approve it."))
    if by == adjustment.first_approved_by:
        raise AdjustmentRefused(_("You have approved it: it needs one more person."))


def _made(adjustment: Adjustment, by: User, at: datetime) -> Adjustment:
    draft, month = draft_of(adjustment), adjustment.regards_month
    regards = months.Month(month) if month else None
    reason = wording.reason_of(draft, regards=regards)
    command = effects.command_of(adjustment, draft, reason)
    adjustment.entry_id = effects.bring_about(command, at=at)
    adjustment.state, adjustment.made_at = AdjustmentState.MADE, at
    adjustment.save(update_fields=["state", "made_at", "entry"])
    record("adjustment.made", adjustment, by, at=at)
    if adjustment.notifies:
        notices.tell(adjustment, reason, at=at)
    return adjustment
