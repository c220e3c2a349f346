"""Leaving a legacy plan, for good: it is not at Stripe, so it ends here (R34).

It ends with its paid term, or at once by the payment for another plan. Until then
either can be taken back: what was never left was never entered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Account
from billing.changes import changing, notices
from billing.models import (
    ChangeKind,
    ChangeState,
    PlanChange,
    PlanFamily,
    Subscription,
    Timing,
)
from billing.plans import ending, subscribing

if TYPE_CHECKING:
    from datetime import datetime


def ends_here(change: PlanChange) -> bool:
    """Whether a change ends a plan that Stripe knows nothing of."""
    subscription = change.subscription
    is_legacy = change.from_version.plan.family == PlanFamily.LEGACY
    is_at_stripe = subscription and subscription.stripe_subscription_id
    return is_legacy and not is_at_stripe and change.kind == ChangeKind.CANCEL


@transaction.atomic
def go_on(change: PlanChange, *, at: datetime) -> None:
    """Schedule the end that was asked for, or end the plan when its day has come."""
    live = _locked(change)
    if live is None:
        _close_after_end(change, at)
        return
    if change.state == ChangeState.ASKED and change.timing == Timing.CYCLE_END:
        _schedule(change, live, at)
    if change.state in {ChangeState.ASKED, ChangeState.SCHEDULED}:
        _end_if_due(change, live, at)


@transaction.atomic
def take_back(change: PlanChange, *, at: datetime) -> None:
    """Let the plan go on whose end was scheduled, as if nothing had been (R27)."""
    live = _locked(change)
    if live is None or change.state != ChangeState.SCHEDULED:
        return
    live.cancel_at = None
    live.save(update_fields=["cancel_at"])
    subscribing.push_terms(live.account_id, at=at)
    changing.close(change, ChangeState.UNDONE, at=at)
    notices.tell_undone(change, at=at)


def make_way(live: Subscription, *, begins_at: datetime, at: datetime) -> bool:
    """End the legacy plan that is being left by paying for another; say whether it was.

    Call it under the account's lock, once that payment has arrived: nobody loses a
    legacy plan to a checkout page that they only opened.

    Source: docs/rules.md R34.
    """
    agreed = PlanChange.objects.filter(
        subscription=live,
        kind=ChangeKind.SUBSCRIBE,
        from_version__plan__family=PlanFamily.LEGACY,
        state__in=changing.OPEN,
    )
    if not agreed.exists():
        return False
    ending.end_plan(live, ended_at=begins_at, at=at)
    return True


def _locked(change: PlanChange) -> Subscription | None:
    """Return the plan that is left, unless it has ended; its account is locked."""
    Account.objects.select_for_update(no_key=True).get(pk=change.account_id)
    change.refresh_from_db(fields=["state", "takes_effect_at", "closed_at"])
    live = Subscription.objects.select_related("account", "plan_version__plan")
    return live.filter(changes=change, ended_at=None).first()


def _schedule(change: PlanChange, live: Subscription, at: datetime) -> None:
    live.cancel_at = max(live.paid_until or at, at)
    live.save(update_fields=["cancel_at"])
    subscribing.push_terms(live.account_id, at=at)
    change.state, change.takes_effect_at = ChangeState.SCHEDULED, live.cancel_at
    change.next_check_at = live.cancel_at
    change.save()
    notices.tell_leaving(change, at=at)


def _end_if_due(change: PlanChange, live: Subscription, at: datetime) -> None:
    ends_at = change.takes_effect_at or at
    if at < ends_at:
        return
    ending.end_plan(live, ended_at=ends_at, at=at)
    change.subscription = live
    changing.close(change, ChangeState.DONE, at=at)
    notices.tell_left(change, at=at)


def _close_after_end(change: PlanChange, at: datetime) -> None:
    # The import, or another change, has ended it meanwhile.
    if change.closed_at is None:
        changing.close(change, ChangeState.DONE, at=at)
