"""What an account owes for credits that it used and then got the money back for.

The ledger counts it in credits (R79); what they were paid with is what paying it costs.
Source: docs/rules.md R78, R79.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.core.refunds import cost_of_debt
from billing.models import STANDING, Dispute, Refund
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """What left a debt: a refund or a lost dispute, its credits and their price."""

    credits: int
    cents: int
    currency: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed now. Its causes are the newest first: older ones are paid first."""

    credits: int
    cents: int
    currency: str
    causes: tuple[Cause, ...]


def owed_by(account_id: int) -> Owed | None:
    """Return what an account owes; None: nothing."""
    wallet = Wallet.objects.get(account_id=account_id, unit=WalletUnit.CREDITS)
    if not wallet.debt:
        return None
    causes = _causes(account_id)
    incurred = [(cause.credits, cause.cents) for cause in causes]
    return Owed(
        credits=wallet.debt,
        cents=cost_of_debt(wallet.debt, incurred),
        currency=causes[0].currency if causes else "",
        causes=tuple(_still_owed(causes, wallet.debt)),
    )


def _causes(account_id: int) -> list[Cause]:
    refunds = Refund.objects.filter(
        account_id=account_id, state__in=STANDING, debt_credits__gt=0
    )
    disputes = Dispute.objects.filter(account_id=account_id, debt_credits__gt=0)
    found = [
        Cause(
            credits=refund.debt_credits,
            cents=refund.debt_cents,
            currency=refund.currency,
            since=refund.asked_at,
        )
        for refund in refunds
    ]
    found += [
        Cause(
            credits=dispute.debt_credits,
            cents=dispute.debt_cents,
            currency=dispute.currency,
            since=dispute.closed_at or dispute.opened_at,
        )
        for dispute in disputes
    ]
    return sorted(found, key=lambda cause: cause.since, reverse=True)


def _still_owed(causes: Sequence[Cause], credits: int) -> Sequence[Cause]:
    for place, cause in enumerate(causes, start=1):
        credits -= cause.credits
        if credits <= 0:
            return causes[:place]
    return causes
