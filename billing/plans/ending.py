"""What the end of a plan does to credits, and what a new plan brings back (R58, R60).

Plan credits end with the plan, by the wallet's terms. Purchased credits are frozen
until there is a plan again, and their own expiry runs on; or, if that is set, they end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import F, Sum

from accounts import auditing
from billing.finance import bookings
from billing.models import SubscriptionStatus
from billing.outgoing import facts
from billing.plans import disputed, renewing, subscribing
from credits import ledger
from credits.models import CreditGrant, EntryKind, Freeze, GrantDraw, GrantSource

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.models import Subscription

_FROM_PLANS = (GrantSource.PLAN, GrantSource.UPGRADE)
_PURCHASED = (GrantSource.PURCHASE, GrantSource.RELOAD, GrantSource.RESTORE)
_ENDED = "The plan has ended."


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of credits when a plan ended."""

    forfeited: int
    frozen: int


def end_plan(subscription: Subscription, *, ended_at: datetime, at: datetime) -> Ended:
    """End a live subscription as of `ended_at`, which may be some time ago.

    Call it under the account's lock. What plans gave is forfeited and posted as
    expired at that instant (R58); what jobs hold stays theirs (R61). The sweeper voids
    bills that are still open (R64).
    """
    subscription.status = SubscriptionStatus.CANCELED
    # Bills that are still open are at Stripe, if the plan is.
    is_at_stripe = bool(subscription.stripe_subscription_id)
    subscription.ended_at = ended_at
    subscription.next_check_at = at if is_at_stripe else None
    subscription.save()
    _drop_coming_months(subscription, ended_at, at)
    # Paid months that had begun belong to the plan's life, however late this is.
    renewing.grant_begun_cycles(subscription, before=ended_at, at=at)
    account = subscription.account
    subscribing.push_terms(account.pk, at=at)
    wallet_id = ledger.open_wallet(account_id=account.pk, at=at)
    ledger.expire_wallet(wallet_id=wallet_id, at=at)
    end = subscribing.plan_end(subscription) or ended_at
    forfeited, frozen = _forfeited(wallet_id, end), 0
    if subscribing.live_subscription(account.pk) is None:
        if settings.FORFEIT_BLOCKS:
            forfeited += _forfeit_blocks(subscription, wallet_id, at)
        else:
            frozen = _freeze_blocks(subscription, wallet_id, at)
    auditing.record(
        action="subscription.ended",
        actor="stripe" if is_at_stripe else "system",
        account=account,
        target=str(subscription.plan_version),
        at=at,
    )
    facts.tell_plan(subscription, key="ended", at=at)
    return Ended(forfeited, frozen)


def thaw_blocks(subscription: Subscription, *, at: datetime) -> None:
    """Make purchased credits usable again that wait for a plan (R60)."""
    wallet_id = ledger.open_wallet(account_id=subscription.account_id, at=at)
    waiting = _open_grants(wallet_id).filter(frozen_for__contains=[Freeze.NO_PLAN])
    for grant_id in waiting.values_list("pk", flat=True):
        ledger.unfreeze(
            grant_id=grant_id,
            freeze=Freeze.NO_PLAN,
            idempotency_key=f"plan-begun:{subscription.pk}:{grant_id}",
            actor="plan",
            reason="There is a plan again.",
            at=at,
        )


def _drop_coming_months(
    subscription: Subscription, ended_at: datetime, at: datetime
) -> None:
    """Let paid months never come that begin after the end (R33)."""
    coming = subscription.cycles.filter(granted_at=None, starts_at__gte=ended_at)
    # R85: what a bank has taken back is forfeited by nobody.
    paid = coming.exclude(disputed.IS_LOST)
    cents = sum(bookings.unbegun_cents(cycle) for cycle in paid)
    bookings.months_forfeited(
        subscription, key=f"subscription:{subscription.pk}", cents=cents, at=at
    )
    coming.delete()


def _forfeit_blocks(subscription: Subscription, wallet_id: int, at: datetime) -> int:
    """Take back what was bought; return how many credits that are."""
    bought = _open_grants(wallet_id).filter(source__in=_PURCHASED)
    return sum(
        ledger.revoke(
            grant_id=grant_id,
            idempotency_key=f"plan-ended:{subscription.pk}:{grant_id}",
            actor="plan",
            reason=_ENDED,
            at=at,
        ).credits
        for grant_id in bought.values_list("pk", flat=True)
    )


def _freeze_blocks(subscription: Subscription, wallet_id: int, at: datetime) -> int:
    """Freeze what was bought; return how many credits that are."""
    bought = _open_grants(wallet_id).filter(source__in=_PURCHASED)
    return sum(
        ledger.freeze(
            grant_id=grant_id,
            freeze=Freeze.NO_PLAN,
            idempotency_key=f"plan-ended:{subscription.pk}:{grant_id}",
            actor="plan",
            reason=_ENDED,
            at=at,
        ).credits
        for grant_id in bought.values_list("pk", flat=True)
    )


def _forfeited(wallet_id: int, end: datetime) -> int:
    # Read, not counted: a page or a job may have seen the end before Stripe told of it.
    drawn = GrantDraw.objects.filter(
        entry__wallet_id=wallet_id,
        grant__source__in=_FROM_PLANS,
        entry__kind=EntryKind.EXPIRE,
        entry__occurred_at=end,
    )
    return -int(drawn.aggregate(total=Sum("credits"))["total"] or 0)


def _open_grants(wallet_id: int) -> QuerySet[CreditGrant]:
    ours = CreditGrant.objects.filter(wallet_id=wallet_id, is_open=True)
    return ours.order_by(F("expires_at").asc(nulls_last=True), "pk")
