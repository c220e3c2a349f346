"""What a downgrade keeps of the larger plan's credits, where that is limited (R26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import F

from credits import ledger
from credits.models import CreditGrant, GrantSource, WalletUnit

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import PlanChange

_FROM_PLANS = (GrantSource.PLAN, GrantSource.UPGRADE)


def trim(change: PlanChange, *, at: datetime) -> None:
    """Keep as many of the old plan's credits as the new one brings in a month.

    Call it when a downgrade has come into force; it does nothing unless that is set.
    What ends first goes first, and what jobs hold stays theirs.

    Source: docs/rules.md R26.
    """
    if not settings.TRIM_ON_DOWNGRADE:
        return
    left = _left_of_the_old_plan(change)
    too_many = sum(free for _, free in left) - change.to_version.cycle_credits
    for grant_id, free in left:
        taken = min(free, max(0, too_many))
        too_many -= taken
        if taken:
            ledger.revoke(
                grant_id=grant_id,
                credits=taken,
                idempotency_key=f"trim:{change.pk}:{grant_id}",
                actor="plan",
                reason=change.public_id,
                at=at,
            )


def _left_of_the_old_plan(change: PlanChange) -> list[tuple[int, int]]:
    """Return what is free of each earlier grant, the first to end first."""
    grants = CreditGrant.objects.filter(
        wallet__account=change.account_id,
        wallet__unit=WalletUnit.CREDITS,
        source__in=_FROM_PLANS,
        is_open=True,
        effective_at__lt=change.takes_effect_at,
    )
    free = grants.annotate(free=F("remaining") - F("held")).order_by("expires_at", "pk")
    return list(free.values_list("pk", "free"))
