"""Which plan an account is on, how that stands, and what it means for its wallet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Min

from accounts.models import Account
from accounts.templatetags.units import money
from billing.models import (
    Cycle,
    PlanFamily,
    PlanVersion,
    Subscription,
    SubscriptionStatus,
)
from billing.plans import catalogue
from credits import ledger
from credits.models import SpendingBlock, Wallet, WalletUnit

if TYPE_CHECKING:
    from billing.models import FreeVideoOffer

FREE = "free"
LEGACY_RATES = "legacy"

_CHOOSE_A_PLAN = "Choose a paid plan."
_WAYS_FORWARD = {
    PlanFamily.FREE: _CHOOSE_A_PLAN,
    PlanFamily.LEGACY: "Use premium credits, or change to a plan with credits.",
    PlanFamily.CREATOR: "Upgrade to Pro for more credits.",
    PlanFamily.PRO: "Move to a higher Pro tier.",
}
_NEVER = datetime.max.replace(tzinfo=UTC)
_NO_MORE_PACKS = "Packs of premium credits are not sold any more."
_NOTHING_OWED = {SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING}
# Overdue within grace still spends (R62); what was never or no longer paid does not.
_NOT_PAID = {SubscriptionStatus.INCOMPLETE, SubscriptionStatus.UNPAID}


class Standing(StrEnum):
    """How an account stands with its plan: what pages and banners say."""

    FREE = "FREE"
    ACTIVE = "ACTIVE"
    ENDING = "ENDING"  # until its date (R58)
    RENEWING = "RENEWING"  # the next term is not paid yet (R5)
    OVERDUE = "OVERDUE"  # its payment failed or is disputed; within grace (R62, R85)
    BLOCKED = "BLOCKED"  # not paid, and grace is over
    OVER = "OVER"  # its date has come; Stripe's word on it has not


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
    """Whether nothing is owed for the plan, and nothing is asked back (R85)."""
    return subscription.status in _NOTHING_OWED and subscription.disputed_at is None


def is_over(subscription: Subscription, *, at: datetime) -> bool:
    """Whether the plan ends or ended at or before an instant."""
    end = plan_end(subscription)
    return end is not None and end <= at


def plan_end(subscription: Subscription) -> datetime | None:
    """Return when the plan ends or ended; None: it goes on (R15)."""
    ends = (subscription.cancel_at, subscription.ended_at)
    return min((end for end in ends if end), default=None)


def standing(subscription: Subscription | None, *, at: datetime) -> Standing:
    """Return how an account stands with its live subscription: FREE without one.

    Source: docs/rules.md R5, R58, R62.
    """
    if subscription is None:
        return Standing.FREE
    if is_over(subscription, at=at):
        return Standing.OVER
    if subscription.status in _NOT_PAID or spends_until(subscription) <= at:
        return Standing.BLOCKED
    if subscription.status == SubscriptionStatus.PAST_DUE or subscription.disputed_at:
        return Standing.OVERDUE
    if subscription.cancel_at:
        return Standing.ENDING
    return Standing.RENEWING if _paid_until(subscription) <= at else Standing.ACTIVE


def spends_until(subscription: Subscription) -> datetime:
    """Return from when on the plan's wallet is blocked unless something is paid (R62).

    That is the end of the plan, or else some days of grace after the paid term, or
    after its payment was disputed (R85).
    """
    owed_since = min(_paid_until(subscription), subscription.disputed_at or _NEVER)
    after_grace = owed_since + timedelta(days=settings.GRACE_DAYS)
    end = plan_end(subscription)
    return min(end, after_grace) if end else after_grace


def next_renewal(*, at: datetime) -> datetime | None:
    """Return when the first of all plans renews after an instant; None: none does."""
    renewing = Subscription.objects.filter(
        ended_at=None, cancel_at=None, paid_until__gt=at
    )
    first: datetime | None = renewing.aggregate(first=Min("paid_until"))["first"]
    return first


def current_cycle(subscription: Subscription, *, at: datetime) -> Cycle | None:
    """Return the month of a subscription that covers an instant, if it was paid."""
    covering = subscription.cycles.filter(starts_at__lte=at, ends_at__gt=at)
    # A year that begins within a month goes before it (R30).
    return covering.order_by("-starts_at", "-expires_at").first()


def push_terms(account_id: int, *, at: datetime) -> None:
    """Tell the account's wallets what its plan says; opens that of credits."""
    subscription = live_subscription(account_id)
    cycle_now = current_cycle(subscription, at=at) if subscription else None
    ended = subscription or _last_subscription(account_id)
    free = _free_videos(subscription, at=at)
    ledger.set_terms(
        wallet_id=ledger.open_wallet(account_id=account_id, at=at),
        spending_block=_spending_block(subscription),
        way_forward=way_forward(subscription, at=at),
        cycle_starts_at=cycle_now.starts_at if cycle_now else None,
        cycle_ends_at=cycle_now.ends_at if cycle_now else None,
        plan_ends_at=plan_end(ended) if ended else None,
        spends_until=spends_until(subscription) if subscription else None,
        free_videos=free.quota_in(_country(account_id)) if free else None,
        free_video_ms=free.longest_ms if free else None,
    )
    _push_premium_terms(account_id, subscription, at=at)


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


def _push_premium_terms(
    account_id: int, subscription: Subscription | None, *, at: datetime
) -> None:
    # R34: what is left of packs keeps its own dates, also after legacy was left.
    premium = Wallet.objects.filter(account_id=account_id, unit=WalletUnit.PREMIUM)
    for wallet_id in premium.values_list("pk", flat=True):
        ledger.set_terms(
            wallet_id=wallet_id,
            rate_plan=LEGACY_RATES,
            spending_block=_spending_block(subscription),
            way_forward=_premium_way_forward(subscription),
            cycle_starts_at=None,
            cycle_ends_at=None,
            plan_ends_at=plan_end(subscription) if subscription else None,
            spends_until=spends_until(subscription) if subscription else None,
        )


def _premium_way_forward(subscription: Subscription | None) -> str:
    if subscription is None:
        return _CHOOSE_A_PLAN
    is_legacy = subscription.plan_version.plan.family == PlanFamily.LEGACY
    instead = "Change to a plan with credits." if is_legacy else "Use credits instead."
    return f"{_NO_MORE_PACKS} {instead}"


def _paid_until(subscription: Subscription) -> datetime:
    return subscription.paid_until or subscription.anchor_at


def _last_subscription(account_id: int) -> Subscription | None:
    ended = Subscription.objects.filter(account_id=account_id, ended_at__isnull=False)
    return ended.order_by("-ended_at").first()


def _spending_block(subscription: Subscription | None) -> SpendingBlock | None:
    if subscription is None:
        return SpendingBlock.NO_PAID_PLAN
    if subscription.status in _NOT_PAID:
        return SpendingBlock.PAYMENT_OVERDUE
    return None


def _free_videos(
    subscription: Subscription | None, *, at: datetime
) -> FreeVideoOffer | None:
    # Said before a plan ends, so that Free begins at that instant (R67).
    if subscription and plan_end(subscription) is None:
        return None
    return catalogue.free_videos_in_force(at=at)


def _country(account_id: int) -> str:
    # R0: the billing country, else what was chosen at sign-up.
    account = Account.objects.select_related("customer").get(pk=account_id)
    customer = getattr(account, "customer", None)
    return (customer and customer.country) or account.country


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
