"""Which plan an account is on, its months, and what that means for its wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import auditing
from accounts.templatetags.units import money
from billing import catalogue
from billing.core.periods import MONTHS_IN_YEAR, cycle, term
from billing.core.revenue import month_share_cents
from billing.models import (
    Cycle,
    Interval,
    PlanFamily,
    PlanVersion,
    Subscription,
    SubscriptionStatus,
)
from credits import ledger
from credits.models import GrantSource, SpendingBlock

if TYPE_CHECKING:
    from datetime import datetime

FREE = "free"

_CHOOSE_A_PLAN = "Choose a paid plan."
_WAYS_FORWARD = {
    PlanFamily.FREE: _CHOOSE_A_PLAN,
    PlanFamily.LEGACY: _CHOOSE_A_PLAN,
    PlanFamily.CREATOR: "Upgrade to Pro for more credits.",
    PlanFamily.PRO: "Move to a higher Pro tier.",
}
_NOTHING_OWED = {SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING}
# Overdue within grace still spends (R62); what was never or no longer paid does not.
_NOT_PAID = {SubscriptionStatus.INCOMPLETE, SubscriptionStatus.UNPAID}


def live_subscription(account_id: int) -> Subscription | None:
    """Return the account's subscription that has not ended, with its plan."""
    return (
        Subscription.objects.filter(account_id=account_id, ended_at=None)
        .select_related("plan_version__plan")
        .first()
    )


def plan_of(account_id: int, *, at: datetime) -> PlanVersion:
    """Return the plan version that an account is on: Free without a subscription.

    Raises:
        NothingOffered: it is Free, and no Free plan is in force.
    """
    return version_of(live_subscription(account_id), at=at)


def version_of(subscription: Subscription | None, *, at: datetime) -> PlanVersion:
    """Return the plan version of a live subscription: Free without one.

    Raises:
        NothingOffered: it is Free, and no Free plan is in force.
    """
    if subscription is None:
        return catalogue.plan_in_force(FREE, at=at)
    return subscription.plan_version


def is_paid(subscription: Subscription) -> bool:
    """Whether nothing is owed for the plan."""
    return subscription.status in _NOTHING_OWED


def current_cycle(subscription: Subscription, *, at: datetime) -> Cycle | None:
    """Return the month of a subscription that covers an instant, if it was stored."""
    return subscription.cycles.filter(starts_at__lte=at, ends_at__gt=at).first()


@transaction.atomic
def begin(
    *,
    account_id: int,
    plan_code: str,
    interval: Interval,
    anchor_at: datetime,
    at: datetime,
) -> Subscription:
    """Put an account on a plan whose first payment has arrived, and grant its credits.

    All months are counted from `anchor_at`, which may lie in the past.

    Raises:
        NothingOffered: the plan was not sold at the anchor.
        IntegrityError: the account has a live subscription.
    """
    subscription = Subscription.objects.create(
        account_id=account_id,
        plan_version=catalogue.plan_in_force(plan_code, at=anchor_at),
        interval=interval,
        status=SubscriptionStatus.ACTIVE,
        anchor_at=anchor_at,
    )
    auditing.record(
        action="subscription.begun",
        actor="system",
        account=subscription.account,
        target=str(subscription.plan_version),
        at=at,
    )
    _add_cycle(subscription, index=0, at=at)
    push_terms(account_id, at=at)
    return subscription


@transaction.atomic
def renew(*, subscription_id: int, at: datetime) -> Cycle:
    """Add the next month of a live subscription, paid, with its credits.

    Raises:
        Subscription.DoesNotExist: it has ended.
    """
    subscription = (
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .select_related("plan_version")
        .get(pk=subscription_id, ended_at=None)
    )
    added = _add_cycle(subscription, index=subscription.cycles.count(), at=at)
    push_terms(subscription.account_id, at=at)
    return added


def push_terms(account_id: int, *, at: datetime) -> None:
    """Tell the account's wallet what its plan says; opens the wallet when missing."""
    subscription = live_subscription(account_id)
    cycle_now = current_cycle(subscription, at=at) if subscription else None
    ledger.set_terms(
        wallet_id=ledger.open_wallet(account_id=account_id, at=at),
        spending_block=_spending_block(subscription),
        way_forward=way_forward(subscription, at=at),
        cycle_starts_at=cycle_now.starts_at if cycle_now else None,
        cycle_ends_at=cycle_now.ends_at if cycle_now else None,
    )


def way_forward(subscription: Subscription | None, *, at: datetime) -> str:
    """Return how an account gets more credits: one sentence for its plan (R107)."""
    if subscription is None:
        return _CHOOSE_A_PLAN
    version = subscription.plan_version
    family = PlanFamily(version.plan.family)
    if version.sells_blocks:
        return _buy_blocks(at)
    if family is PlanFamily.PRO and not _has_larger_tier(version, at):
        return "Move to Business to buy credits in blocks."
    return _WAYS_FORWARD[family]


def _add_cycle(subscription: Subscription, *, index: int, at: datetime) -> Cycle:
    span = cycle(subscription.anchor_at, index)
    version = subscription.plan_version
    added = Cycle.objects.create(
        subscription=subscription,
        index=index,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        credits=version.cycle_credits,
        price_cents=_price_cents(subscription, index),
        paid_at=at,
        granted_at=at,
    )
    ledger.grant(
        wallet_id=ledger.open_wallet(account_id=subscription.account_id, at=at),
        source=GrantSource.PLAN,
        source_key=added.source_key,
        credits=added.credits,
        cost_basis_cents=added.price_cents,
        effective_at=added.starts_at,
        expires_at=_expires_at(subscription, index),
        actor="plan",
        at=at,
    )
    return added


def _price_cents(subscription: Subscription, index: int) -> int:
    version = subscription.plan_version
    if subscription.interval == Interval.YEAR:
        return month_share_cents(version.year_cents or 0, index % MONTHS_IN_YEAR)
    return version.month_cents or 0


def _expires_at(subscription: Subscription, index: int) -> datetime:
    # R14: a monthly grant lives through the next month, and so never rolls twice.
    if subscription.interval == Interval.YEAR:
        return term(subscription.anchor_at, index).ends_at
    return cycle(subscription.anchor_at, index + 1).ends_at


def _spending_block(subscription: Subscription | None) -> SpendingBlock | None:
    if subscription is None:
        return SpendingBlock.NO_PAID_PLAN
    if subscription.status in _NOT_PAID:
        return SpendingBlock.PAYMENT_OVERDUE
    return None


def _buy_blocks(at: datetime) -> str:
    offer = catalogue.blocks_in_force(at=at)
    price = money(offer.cents, offer.currency)
    return f"Buy credits in blocks of {offer.credits} for {price}."


def _has_larger_tier(version: PlanVersion, at: datetime) -> bool:
    return any(
        other.plan.family == version.plan.family
        and other.cycle_credits > version.cycle_credits
        for other in catalogue.plans_in_force(at=at)
    )
