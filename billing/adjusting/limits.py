"""How much somebody of the staff may adjust alone (R91)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from billing.adjusting.drafts import Draft
from billing.models import AdjustmentKind

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

# R79, R35: whatever the credits.
_ALWAYS = {AdjustmentKind.WRITE_OFF_DEBT: 1, AdjustmentKind.RESTORE_LEGACY: 2}


def room(user: User, *, at: datetime) -> int:
    """Return how many credits somebody may move alone now, all at once.

    What they moved alone in the last 24 hours counts against their day. The database
    counts the same, with the settings of the last migration, and believes no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT billing_staff_room(%s, %s, %s, %s)",
            [user.pk, at, settings.ADJUSTMENT_LIMIT, settings.ADJUSTMENT_DAILY_LIMIT],
        )
        [(credits,)] = cursor.fetchall()
    return int(credits)


def approvals_for(draft: Draft, *, room: int) -> int:
    """Return how many others have to approve what somebody with so much room drafts."""
    return _ALWAYS.get(draft.kind, int(draft.credits > room))
