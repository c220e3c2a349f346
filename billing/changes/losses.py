"""What is lost when a plan ends: said before it is canceled, or left (R34, R58)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from billing import payments
from billing.core.refunds import unspent_cents
from billing.models import PlanFamily, Purchase, PurchaseState
from billing.plans import subscribing
from billing.refunds import figures as refund_figures
from credits import quoting, statements
from credits.models import CreditGrant, GrantSource, Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.changes.previewing import Preview
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
    """What ends with the plan, and what is frozen until there is one again.

    `refundable` is what was bought lately and is unspent: asked for before the end,
    its money goes back (R58).
    """

    forfeited: Loss
    frozen: Loss
    are_blocks_forfeited: bool
    refundable: Loss


def losses_of(account_id: int, *, at: datetime) -> Losses:
    """Return what an account would lose if its plan ended as things stand.

    Source: docs/rules.md R58, R100.
    """
    wallet = Wallet.objects.get(account_id=account_id, unit=WalletUnit.CREDITS)
    grants = statements.balance_of(wallet.pk, at=at).grants
    return Losses(
        forfeited=_loss([grant for grant in grants if grant.source in _FROM_PLANS]),
        frozen=_loss([grant for grant in grants if grant.source in _PURCHASED]),
        are_blocks_forfeited=settings.FORFEIT_BLOCKS,
        refundable=_refundable(account_id, at=at),
    )


def _refundable(account_id: int, *, at: datetime) -> Loss:
    lately = Purchase.objects.filter(
        account_id=account_id,
        state=PurchaseState.PAID,
        paid_at__gt=at - timedelta(days=settings.REFUND_DAYS),
    )
    payments_made = filter(None, map(payments.payment_for, lately))
    paid = [refund_figures.paid_by(payment) for payment in payments_made]
    return Loss(
        credits=sum(each.unspent for each in paid),
        cents=sum(unspent_cents(each) for each in paid),
        last_expiry_at=None,
    )


@dataclass(frozen=True, slots=True)
class DearerRate:
    """A feature that credits pay more for than premium credits, in words for each."""

    label: str
    premium: str
    credits: str


@dataclass(frozen=True, slots=True)
class LegacyLosses:
    """What goes with a legacy plan, and what is left of it.

    `unused_until` is the end of the paid term, if the plan ends before.
    """

    unused_until: datetime | None
    premium: Loss
    dearer: tuple[DearerRate, ...]


def legacy_losses(previewed: Preview, *, at: datetime) -> LegacyLosses | None:
    """Return what leaving a legacy plan costs; None: the plan is none.

    Raises:
        NoRateCard: there are no rates to compare.

    Source: docs/rules.md R34.
    """
    subscription = previewed.subscription
    if subscription is None or previewed.old.plan.family != PlanFamily.LEGACY:
        return None
    paid_until = subscription.paid_until
    is_early = paid_until is not None and previewed.takes_effect_at < paid_until
    return LegacyLosses(
        unused_until=paid_until if is_early else None,
        premium=_premium(subscription.account_id, at=at),
        dearer=_dearer(at=at),
    )


def _premium(account_id: int, *, at: datetime) -> Loss:
    wallet = Wallet.objects.get(account_id=account_id, unit=WalletUnit.PREMIUM)
    return _loss(statements.balance_of(wallet.pk, at=at).grants)


def _dearer(*, at: datetime) -> tuple[DearerRate, ...]:
    legacy = quoting.rates_in_force(rate_plan=subscribing.LEGACY_RATES, at=at)
    standard = quoting.rates_in_force(rate_plan=quoting.STANDARD, at=at)
    return tuple(
        DearerRate(rate.label, before.shown, rate.shown)
        for rate in standard.rates
        if (before := legacy.rate_of(rate.feature))
        and before.credits * rate.per < rate.credits * before.per
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
