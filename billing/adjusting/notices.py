"""What a customer is told of an adjustment, if staff wish it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts import notifying

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Adjustment


def tell(adjustment: Adjustment, reason: str, *, at: datetime) -> None:
    """Tell of what was done to the credits, in the words of the statement."""
    account = adjustment.account
    notifying.notify(
        kind="adjustment_made",
        key=f"{adjustment.key}:made",
        recipients=notifying.billing_recipients(account),
        context={
            "adjustment": adjustment,
            "entry": adjustment.entry,
            "reason": reason,
            "page_url": settings.BASE_URL + reverse("credits:statement"),
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )
