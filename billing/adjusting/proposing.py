"""Proposing an adjustment: our row, and who else has to agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.models import User
from billing.adjusting import limits, notices
from billing.adjusting.drafts import AdjustmentRefused, Draft, Why, adjustment_of
from billing.adjusting.reversing import require_reversible
from billing.finance import months
from billing.models import (
    SHORTEST_COMMENT,
    Adjustment,
    AdjustmentKind,
)

if TYPE_CHECKING:
    from datetime import datetime

    from billing.adjusting.previewing import Preview
    from billing.models import BulkFile


@transaction.atomic
def propose(
    draft: Draft,
    why: Why,
    *,
    previewed: Preview,
    by: User,
    form_key: str,
    at: datetime,
    needs_approval: bool = False,
    bulk_row: tuple[BulkFile, int] | None = None,
) -> Adjustment:
    """Write down what somebody wants to do; `make` or `approve` does it.

    Above their limit others have to approve, or whenever `needs_approval` says so. The
    same form is the same adjustment, in whatever state it is by now.

    Raises:
        AdjustmentRefused: it is not explained, or regards a month that is open, or what
            it reverses cannot be.

    Source: docs/rules.md R35, R79, R91, R92, R93.
    """
    # Two forms of one person at once share their limit.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    known = Adjustment.objects.filter(form_key=form_key, proposed_by=by).first()
    if known:
        return known
    _require_explained(why)
    if draft.kind == AdjustmentKind.REVERSAL:
        require_reversible(Adjustment.objects.get(pk=draft.reverses_id or 0))
    adjustment = adjustment_of(draft, why)
    adjustment.previewed, adjustment.form_key = previewed.figures, form_key
    adjustment.proposed_by, adjustment.proposed_at = by, at
    if bulk_row:
        adjustment.bulk_file, adjustment.bulk_row = bulk_row
    adjustment.limit_credits = limits.room(by, at=at)
    others = limits.approvals_for(draft, room=adjustment.limit_credits)
    adjustment.approvals_needed = max(others, int(needs_approval))
    adjustment.save()
    if adjustment.approvals_needed:  # else it is made at once, and that is recorded
        record("adjustment.proposed", adjustment, by, at=at)
        notices.ask(adjustment, at=at)
    return adjustment


def record(
    action: str, adjustment: Adjustment, by: User, *, at: datetime, reason: str = ""
) -> None:
    """Write down who did what to an adjustment, and what it is about."""
    auditing.record(
        action=action,
        actor=by,
        account=adjustment.account,
        target=adjustment.public_id,
        before=adjustment.previewed["before"],
        after={
            **adjustment.previewed["after"],
            "kind": adjustment.kind,
            "credits": adjustment.credits,
            "approvals_needed": adjustment.approvals_needed,
            "sha256": adjustment.content_hash,
        },
        reason=reason or adjustment.comment,
        at=at,
    )


def _require_explained(why: Why) -> None:
    if len(why.comment.strip()) < SHORTEST_COMMENT:
        message = _("Say why in at least %(least)s characters.")
        raise AdjustmentRefused(message % {"least": SHORTEST_COMMENT})
    if why.regards and months.closed(why.regards) is None:
        message = _("%(month)s is open, and this is posted in it: choose no month.")
        raise AdjustmentRefused(message % {"month": why.regards})
