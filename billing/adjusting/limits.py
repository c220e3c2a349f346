"""How much somebody of the staff may adjust alone (R91)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Sum

from accounts.models import StaffLimit
from billing.adjusting.drafts import Draft
from billing.models import DROPPED, Adjustment, AdjustmentKind

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

_DAY = timedelta(hours=24)
# R79, R35: whatever the credits.
_ALWAYS = {AdjustmentKind.WRITE_OFF_DEBT: 1, AdjustmentKind.RESTORE_LEGACY: 2}


def room(user: User, *, at: datetime) -> int:
    """Return how many credits somebody may adjust alone now, in one adjustment.

    What they adjusted alone in the last 24 hours counts against their day.
    """
    own = StaffLimit.objects.filter(user=user).first()
    at_once = own.per_adjustment if own else settings.ADJUSTMENT_LIMIT
    a_day = own.per_day if own else settings.ADJUSTMENT_DAILY_LIMIT
    alone = Adjustment.objects.filter(
        proposed_by=user, proposed_at__gt=at - _DAY, approvals_needed=0
    ).exclude(state__in=DROPPED)
    used = alone.aggregate(total=Sum("credits"))["total"] or 0
    return max(0, min(at_once, a_day - used))


def approvals_for(draft: Draft, *, room: int) -> int:
    """Return how many others have to approve what somebody with so much room drafts."""
    return _ALWAYS.get(draft.kind, int(draft.credits > room))
