"""The one way back onto a legacy plan: its end was an error (R35)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Account
from billing.adjusting.drafts import AdjustmentRefused, Draft
from billing.models import PlanFamily, Subscription, SubscriptionStatus
from billing.outgoing import facts
from billing.plans import ending, subscribing

if TYPE_CHECKING:
    from datetime import datetime


def restorable(account_id: int) -> Subscription | None:
    """Return the legacy plan that an account without any plan was on last."""
    if subscribing.live_subscription(account_id):
        return None
    ended = Subscription.objects.filter(account_id=account_id, ended_at__isnull=False)
    last = ended.select_related("plan_version__plan").order_by("-ended_at", "-pk")
    found = last.first()
    is_legacy = found and found.plan_version.plan.family == PlanFamily.LEGACY
    return found if is_legacy else None


def restore(draft: Draft, *, at: datetime) -> None:
    """Let a legacy plan live again, as if it had not ended; what was frozen thaws.

    A trigger lets this through while an approved adjustment that says so is being made,
    and never else.

    Raises:
        AdjustmentRefused: the account has a plan again, or another one was its last.

    Source: docs/rules.md R35.
    """
    Account.objects.select_for_update(no_key=True).get(pk=draft.account.pk)
    subscription = restorable(draft.account.pk)
    if subscription is None or subscription.pk != draft.subscription_id:
        raise AdjustmentRefused("This legacy plan cannot be given back any more.")
    subscription.status, subscription.ended_at = SubscriptionStatus.ACTIVE, None
    subscription.cancel_at = None
    subscription.save(update_fields=["status", "ended_at", "cancel_at"])
    subscribing.push_terms(draft.account.pk, at=at)
    ending.thaw_blocks(subscription, at=at)
    facts.tell_plan(subscription, key=f"restored:{at.isoformat()}", at=at)
