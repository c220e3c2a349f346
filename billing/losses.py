"""What is lost when a plan ends: said before it is canceled (R58)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits import statements
from credits.models import CreditGrant, GrantSource, Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credits.statements import GrantView

_FROM_PLANS = {GrantSource.PLAN, GrantSource.UPGRADE}
_PURCHASED = {GrantSource.PURCHASE, GrantSource.RELOAD, GrantSource.RESTORE}


@dataclass(frozen=True, slots=True)
class Loss:
    """Credits that are left now, and what was paid for them, in cents.

    `last_expiry_at` is when the last of them would end by itself.
    """

    credits: int
    cents: int
    last_expiry_at: datetime | None


@dataclass(frozen=True, slots=True)
class Losses:
    """What ends with the plan, and what is frozen until there is one again."""

    forfeited: Loss
    frozen: Loss


def losses_of(account_id: int, *, at: datetime) -> Losses:
    """Return what an account would lose if its plan ended as things stand.

    Source: docs/rules.md R58, R100.
    """
    wallet = Wallet.objects.get(account_id=account_id, unit=WalletUnit.CREDITS)
    grants = statements.balance_of(wallet.pk, at=at).grants
    return Losses(
        forfeited=_loss([grant for grant in grants if grant.source in _FROM_PLANS]),
        frozen=_loss([grant for grant in grants if grant.source in _PURCHASED]),
    )


def _loss(grants: Sequence[GrantView]) -> Loss:
    stored = CreditGrant.objects.in_bulk([grant.id for grant in grants])
    ends = [grant.expires_at for grant in grants if grant.expires_at]
    return Loss(
        credits=sum(grant.remaining for grant in grants),
        cents=sum(
            stored[grant.id].cost_basis_cents * grant.remaining // grant.granted
            for grant in grants
        ),
        last_expiry_at=max(ends, default=None),
    )
