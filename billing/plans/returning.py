"""What a month gives back when a year begins, where that is its unspent share (R30)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing import stripe_gateway
from billing.core.periods import Span
from billing.core.proration import Unspent, unspent_share
from credits import ledger
from credits.models import CreditGrant, GrantSource, WalletUnit

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Cycle, PlanChange, Subscription

_FROM_PLANS = (GrantSource.PLAN, GrantSource.UPGRADE)


def unspent_of(subscription: Subscription, *, at: datetime) -> Unspent:
    """Return what is unspent of the running month, or its time if that is less.

    Source: docs/rules.md R30.
    """
    shares = [
        unspent_share(
            granted=grant.granted,
            free=grant.remaining - grant.held,
            paid_cents=grant.cost_basis_cents,
            life=Span(grant.effective_at, cycle.ends_at),
            at=at,
        )
        for cycle in _month_at(subscription, at)
        for grant in _grants_of(cycle)
    ]
    return Unspent(
        credits=sum(share.credits for share in shares),
        cents=sum(share.cents for share in shares),
    )


def line_of(
    cents: int | None, *, customer_id: str, currency: str
) -> stripe_gateway.GivenBack | None:
    """Return the line of the bill by which so much goes back, None: by time instead."""
    if cents is None:
        return None
    description = _("Unspent credits of the month")
    return stripe_gateway.GivenBack(customer_id, currency, cents, description)


def take_back(change: PlanChange, *, at: datetime) -> None:
    """Take the credits back whose price a paid change returned.

    What was spent while the payment was missing is owed (R78). Call it once, under
    the account's lock.
    """
    rest = change.returned_credits
    for grant in _returned_grants(change):
        taken = min(grant.remaining - grant.held, rest)
        rest -= taken
        if taken:
            ledger.revoke(
                grant_id=grant.pk,
                credits=taken,
                idempotency_key=f"return:{change.pk}:{grant.pk}",
                actor="plan",
                reason=change.public_id,
                at=at,
            )
    if rest:
        ledger.record_debt(
            wallet_id=ledger.open_wallet(account_id=change.account_id, at=at),
            credits=rest,
            idempotency_key=f"return:{change.pk}",
            actor="plan",
            reason=change.public_id,
            at=at,
        )


def _returned_grants(change: PlanChange) -> list[CreditGrant]:
    subscription = change.subscription
    if subscription is None:
        return []
    # Not the year's own month, which may have begun in the same second.
    months = _month_at(subscription, change.prorated_at, but=change.invoice_id)
    return [grant for cycle in months for grant in _grants_of(cycle)]


def _month_at(
    subscription: Subscription, at: datetime, *, but: int | None = None
) -> list[Cycle]:
    covering = subscription.cycles.filter(starts_at__lte=at, ends_at__gt=at)
    return list(covering.exclude(invoice=but).order_by("-starts_at")[:1])


def _grants_of(cycle: Cycle) -> list[CreditGrant]:
    # Upgrades end with the month's own grant (R22).
    grants = CreditGrant.objects.filter(
        wallet__account=cycle.subscription.account_id,
        wallet__unit=WalletUnit.CREDITS,
        source__in=_FROM_PLANS,
        effective_at__gte=cycle.starts_at,
        expires_at=cycle.expires_at,
    )
    return list(grants.order_by("pk"))
