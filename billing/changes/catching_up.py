"""What has become of changes of plan, read off what Stripe says: whoever heard first.

Everything here is called under the account's lock, and may be called again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.models import Account
from billing.changes import changing, notices
from billing.models import (
    ChangeKind,
    ChangeState,
    Invoice,
    PlanChange,
    Subscription,
    Timing,
)
from billing.models.plan_change import new_change_id
from billing.plans import catalogue, subscribing, trimming

if TYPE_CHECKING:
    from datetime import datetime

    from billing.stripe_gateway import CheckoutSession, StripeSubscription

# Stripe lets a payment be missing for 23 hours; then the change is off.
_AFTER_THE_DEADLINE = timedelta(minutes=10)
_NOT_OVER = (*changing.OPEN, ChangeState.SCHEDULED)


def catch_up(
    subscription: Subscription, fetched: StripeSubscription, *, at: datetime
) -> None:
    """Move the changes of a subscription to where Stripe says that they are."""
    waiting = changing.changes_of(subscription.account_id).filter(
        subscription=subscription, state__in=_NOT_OVER
    )
    # The latest one last: it takes the place of the one that it follows.
    for change in waiting.order_by("requested_at", "pk"):
        _CATCH_UP[ChangeKind(change.kind)](change, fetched, at)
    if fetched.cancel_at and not fetched.ended_at:
        _note_cancellation(subscription, fetched.cancel_at, at)


def settle_checkout(session: CheckoutSession, *, at: datetime) -> None:
    """Close the subscribing change whose checkout page was completed, or is over.

    Call it after what was paid there has been recorded.
    """
    ours = PlanChange.objects.filter(
        public_id=session.change, kind=ChangeKind.SUBSCRIBE
    )
    for account in Account.objects.filter(plan_changes__in=ours):
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    change = ours.filter(state__in=changing.OPEN).first()
    if change is None:
        return
    change.stripe_session_id = session.id
    if session.status == "complete" and session.subscription_id:
        change.subscription = Subscription.objects.filter(
            stripe_subscription_id=session.subscription_id
        ).first()
        change.invoice = Invoice.objects.filter(
            stripe_invoice_id=session.invoice_id
        ).first()
        changing.close(change, ChangeState.DONE, at=at)
    elif session.status == "expired":
        reason = _("The payment was not completed.")
        changing.close(change, ChangeState.REFUSED, reason=reason, at=at)


def drop_unpaid(change: PlanChange, *, at: datetime) -> None:
    """Close an upgrade whose bill was not paid and cannot be any more."""
    reason = _("The payment did not arrive.")
    changing.close(change, ChangeState.REFUSED, reason=reason, at=at)
    notices.tell_refused(change, at=at)


def _catch_up_upgrade(
    change: PlanChange, fetched: StripeSubscription, at: datetime
) -> None:
    key = changing.lookup_key(change)
    if fetched.lookup_key == key:
        changing.close(change, ChangeState.DONE, at=at)
        if change.invoice_id:  # or else its credits are still to come
            notices.tell_done(change, at=at)
    elif fetched.pending_lookup_key == key:
        _wait_for_payment(change, fetched.pending_until or at, at)
    elif change.state == ChangeState.UNPAID or fetched.ended_at:
        drop_unpaid(change, at=at)


def _wait_for_payment(change: PlanChange, until: datetime, at: datetime) -> None:
    is_news = change.state != ChangeState.UNPAID
    change.state, change.takes_effect_at = ChangeState.UNPAID, None
    change.next_check_at = until + _AFTER_THE_DEADLINE
    change.save()
    if is_news:
        notices.tell_unpaid(change, until, at=at)


def _catch_up_downgrade(
    change: PlanChange, fetched: StripeSubscription, at: datetime
) -> None:
    key = changing.lookup_key(change)
    if fetched.lookup_key == key:
        changing.close(change, ChangeState.DONE, at=at)
        trimming.trim(change, at=at)
        notices.tell_done(change, at=at)
    elif fetched.scheduled_lookup_key == key and not fetched.ended_at:
        _schedule(change, fetched.period_ends_at, at)
    elif change.state == ChangeState.SCHEDULED or fetched.ended_at:
        _take_back(change, at)


def _catch_up_migration(
    change: PlanChange, fetched: StripeSubscription, at: datetime
) -> None:
    key = changing.lookup_key(change)
    if fetched.lookup_key == key:
        changing.close(change, ChangeState.DONE, at=at)
    elif fetched.scheduled_lookup_key == key and not fetched.ended_at:
        _schedule(change, change.takes_effect_at or fetched.period_ends_at, at)
    elif change.state == ChangeState.SCHEDULED or fetched.ended_at:
        # Its customer chose something else, and was told of that.
        changing.close(change, ChangeState.UNDONE, at=at)


def _catch_up_cancel(
    change: PlanChange, fetched: StripeSubscription, at: datetime
) -> None:
    if fetched.ended_at:
        changing.close(change, ChangeState.DONE, at=at)
    elif change.timing == Timing.NOW:
        return  # Stripe has yet to hear of it.
    elif fetched.cancel_at:
        _schedule(change, fetched.cancel_at, at)
    elif change.state == ChangeState.SCHEDULED:
        _take_back(change, at)


def _note_cancellation(
    subscription: Subscription, ends_at: datetime, at: datetime
) -> None:
    """Write down a cancellation made at Stripe, so that it can be undone here."""
    ours = PlanChange.objects.filter(
        subscription=subscription, kind=ChangeKind.CANCEL, state__in=_NOT_OVER
    )
    if ours.exists():
        return
    version = subscription.plan_version
    noted = PlanChange(
        account=subscription.account,
        subscription=subscription,
        kind=ChangeKind.CANCEL,
        timing=Timing.CYCLE_END,
        from_version=version,
        to_version=catalogue.plan_in_force(subscribing.FREE, at=at),
        to_interval=subscription.interval,
        form_key=new_change_id(),
        currency=version.currency,
        shown_cents=0,
        credits_now=0,
        prorated_at=at,
        requested_at=at,
    )
    _schedule(noted, ends_at, at)


def _schedule(change: PlanChange, takes_effect_at: datetime, at: datetime) -> None:
    is_news = change.state != ChangeState.SCHEDULED
    if is_news:
        _make_room(change, at)
    change.state, change.takes_effect_at = ChangeState.SCHEDULED, takes_effect_at
    change.next_check_at = None
    change.save()
    if is_news:
        notices.tell_scheduled(change, at=at)


def _make_room(change: PlanChange, at: datetime) -> None:
    # One change at a time waits for the term's end: the later one takes its place.
    earlier = changing.scheduled_change(change.account_id)
    if earlier:
        changing.close(earlier, ChangeState.UNDONE, at=at)


def _take_back(change: PlanChange, at: datetime) -> None:
    changing.close(change, ChangeState.UNDONE, at=at)
    notices.tell_undone(change, at=at)


_CATCH_UP = {
    ChangeKind.UPGRADE: _catch_up_upgrade,
    ChangeKind.DOWNGRADE: _catch_up_downgrade,
    ChangeKind.CANCEL: _catch_up_cancel,
    ChangeKind.MIGRATE: _catch_up_migration,
}
