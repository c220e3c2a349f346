"""Telling customers, once each, that their jobs will cost more from some day on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts import notifying
from credits import rate_impact
from credits.models import RateDraft

if TYPE_CHECKING:
    from datetime import datetime

    from credits.rate_impact import CustomerImpact


@transaction.atomic
def tell_rate_changes(*, limit: int, at: datetime) -> int:
    """Look at up to `limit` wallets and tell those whose cost rises; return how many.

    Each hears its own figure, of the 30 days before the rates were published.
    """
    waiting = RateDraft.objects.filter(told_up_to__isnull=False).order_by("pk")
    draft = waiting.select_for_update(skip_locked=True, no_key=True).first()
    if draft is None or draft.told_up_to is None or draft.closed_at is None:
        return 0
    wallets = rate_impact.next_wallets(draft, after=draft.told_up_to, limit=limit)
    for customer in rate_impact.impacts_on(wallets, draft, at=draft.closed_at):
        if customer.cost.difference > 0:
            _tell(customer, draft, at=at)
    draft.told_up_to = wallets[-1].pk if len(wallets) == limit else None
    draft.save(update_fields=["told_up_to"])
    return len(wallets)


def _tell(customer: CustomerImpact, draft: RateDraft, *, at: datetime) -> None:
    account = customer.wallet.account
    notifying.notify(
        kind="rates_change",
        key=f"rates:{draft.pk}:{customer.wallet.pk}",
        recipients=notifying.billing_recipients(account),
        context={
            "starts_at": draft.card.starts_at if draft.card else at,
            "cost": customer.cost,
            "rates_url": settings.BASE_URL + reverse("credits:rates"),
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )
