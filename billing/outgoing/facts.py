"""What the product's backend is told of, and with which figures.

Each function costs one query when nobody listens. Amounts are credits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from accounts.models import Account
from billing.models import OutgoingKind
from billing.outgoing.announcing import Fact, announce, listeners
from credits.models import GrantDraw, Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.models import Subscription
    from credits.models import CreditGrant, LedgerEntry

_FREE = "free"
# Once for each time that credits came: what was used up is not used up again before.
_USED_UP = """
    SELECT wallet.id, wallet.account_id, latest.id
    FROM credits_wallet AS wallet
    JOIN LATERAL (
        SELECT max(id) AS id FROM credits_creditgrant WHERE wallet_id = wallet.id
    ) AS latest ON latest.id IS NOT NULL
    WHERE wallet.unit = %(unit)s AND wallet.spending_block = ''
        AND wallet.balance = wallet.held + wallet.frozen
        AND NOT EXISTS (
            SELECT FROM billing_outgoingmessage AS told
            WHERE told.key = %(kind)s || ':' || wallet.id || ':' || latest.id
        )
    ORDER BY wallet.id
    LIMIT %(limit)s
"""


def tell_granted(entry_ids: Sequence[int], *, at: datetime) -> None:
    """Tell of credits that entries have just added."""
    to = listeners(OutgoingKind.CREDITS_GRANTED)
    if not to:
        return
    draws = GrantDraw.objects.filter(entry__in=entry_ids)
    facts = [
        _granted(draw.entry, draw.grant)
        for draw in draws.select_related("entry", "grant__wallet__account")
    ]
    announce(OutgoingKind.CREDITS_GRANTED, facts, to=to, at=at)


def tell_low(
    wallet: Wallet, *, available: int, threshold: int, key: str, at: datetime
) -> None:
    """Tell that less than one of an account's thresholds is available."""
    to = listeners(OutgoingKind.BALANCE_LOW)
    if to:
        figures: dict[str, str | int | None] = {
            "available": available,
            "threshold": threshold,
        }
        fact = Fact(key, wallet.account, figures)
        announce(OutgoingKind.BALANCE_LOW, [fact], to=to, at=at)


@transaction.atomic
def tell_used_up(*, limit: int, at: datetime) -> int:
    """Tell which balances are used up, once each time that credits came; how many."""
    to = listeners(OutgoingKind.BALANCE_DEPLETED)
    if not to:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _USED_UP,
            {
                "kind": OutgoingKind.BALANCE_DEPLETED.value,
                "unit": WalletUnit.CREDITS.value,
                "limit": limit,
            },
        )
        found = cursor.fetchall()
    accounts = Account.objects.in_bulk([account_id for _, account_id, _ in found])
    facts = [
        Fact(f"{wallet_id}:{grant_id}", accounts[account_id], {"available": 0})
        for wallet_id, account_id, grant_id in found
    ]
    announce(OutgoingKind.BALANCE_DEPLETED, facts, to=to, at=at)
    return len(facts)


def tell_plan(subscription: Subscription, *, key: str, at: datetime) -> None:
    """Tell which plan an account is on now; without a plan that is Free."""
    to = listeners(OutgoingKind.PLAN_CHANGED)
    if not to:
        return
    is_over = subscription.ended_at is not None
    figures: dict[str, str | int | None] = {
        "plan": _FREE if is_over else subscription.plan_version.plan.code,
        "interval": None if is_over else subscription.interval,
        "status": subscription.status,
    }
    fact = Fact(f"{subscription.pk}:{key}", subscription.account, figures)
    announce(OutgoingKind.PLAN_CHANGED, [fact], to=to, at=at)


def tell_reload_failed(
    account: Account, *, reload_id: int, reason: str, at: datetime
) -> None:
    """Tell that an auto-reload was given up; `reason` is the bank's code, or ours."""
    to = listeners(OutgoingKind.RELOAD_FAILED)
    if to:
        fact = Fact(str(reload_id), account, {"reason": reason})
        announce(OutgoingKind.RELOAD_FAILED, [fact], to=to, at=at)


def _granted(entry: LedgerEntry, grant: CreditGrant) -> Fact:
    figures: dict[str, str | int | None] = {
        "unit": grant.wallet.unit,
        "source": grant.source,
        "credits": entry.credits,
        "balance": entry.balance_after,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
    }
    return Fact(grant.source_key, grant.wallet.account, figures)
