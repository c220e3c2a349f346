"""Adjustments in each state: waiting, one's own, made, rejected and reversed."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from billing import adjusting
from billing.adjusting import Draft, Why
from billing.models import AdjustmentKind, ReasonCode
from config.clock import now

if TYPE_CHECKING:
    from accounts.models import Account, User
    from billing.models import Adjustment

Arguments = dict[str, tuple[object, ...]]
_forms = count(1)


def adjustments_of(account: Account, viewer: User, other: User) -> Arguments:
    """Let two people of the staff have adjusted one account."""
    made = _adjusted(_draft(account, AdjustmentKind.ADD, 200), other)
    removed = _adjusted(_draft(account, AdjustmentKind.REMOVE, 20), other)
    rejected = _adjusted(_draft(account, AdjustmentKind.ADD, 9_000), other)
    adjusting.reject(
        rejected.pk, by=viewer, reason="One video is not worth that", at=now()
    )
    adjustments = {
        "made": made,
        "removed": removed,
        "put back": _adjusted(adjusting.reversal_of(removed), other),
        "rejected": rejected,
        "waiting": _adjusted(_draft(account, AdjustmentKind.ADD, 900), other),
        "own": _adjusted(_draft(account, AdjustmentKind.REMOVE, 501), viewer),
    }
    public_ids = {name: (one.public_id,) for name, one in adjustments.items()}
    return public_ids | {"account": (account.public_id,)}


def _draft(account: Account, kind: AdjustmentKind, credits: int) -> Draft:
    ends = now() + timedelta(days=365) if kind == AdjustmentKind.ADD else None
    note = "Sorry for the broken export"
    return Draft(account, kind, credits, expires_at=ends, customer_note=note)


def _adjusted(draft: Draft, by: User) -> Adjustment:
    at = now()
    return adjusting.adjust(
        draft,
        Why(ReasonCode.GOODWILL, "Export of a video failed twice", ticket="SUP-2041"),
        previewed=adjusting.preview(draft, at=at),
        by=by,
        form_key=f"scene{next(_forms)}",
        at=at,
    )
