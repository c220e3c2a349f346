"""Following subscriptions: what Stripe says of them becomes ours.

Stripe is told what is wanted and asked what is; what is, is applied. It may be said in
any order and any number of times, under one lock of the account: account, then
subscription, then wallet. A subscription's state may go back and forth, so only the
inbox, which lets one at a time look, applies it; one that is missing is made by
whatever tells of it first, be it a bill.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from accounts import auditing
from accounts.models import Account
from billing import stripe_gateway
from billing.changes import catching_up, leaving
from billing.customers import UnknownAccount
from billing.models import (
    Invoice,
    InvoiceStatus,
    PlanPeriod,
    Subscription,
    SubscriptionStatus,
)
from billing.outgoing import facts
from billing.plans import catalogue, ending, renewing, subscribing
from billing.subscriptions import notices

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Interval, PlanVersion
    from billing.stripe_gateway import StripeSubscription

log = structlog.get_logger(__name__)

# Stripe renews some time after a term's end, and tries for days: no hurry to ask.
_RENEWAL_TAKES, _END_TAKES = timedelta(hours=3), timedelta(minutes=10)
_SHORTEST_PAUSE = timedelta(hours=1)

_STATUSES = {
    "incomplete": SubscriptionStatus.INCOMPLETE,
    "trialing": SubscriptionStatus.TRIALING,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.UNPAID,
    # A trial ran out and there is no card: nothing is paid until there is one.
    "paused": SubscriptionStatus.UNPAID,
}
_OVER = {"canceled", "incomplete_expired"}
_BEGUN = {SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING}


class Followed(StrEnum):
    """What looking at something of Stripe's led to."""

    FOLLOWED = "followed"
    PAID = "paid"
    PAID_TOO_LATE = "paid after the end"
    KNOWN = "known before"
    NOT_OURS = "not ours"


class UnknownPrice(stripe_gateway.BillingError):
    """No published version of a plan has this price: it waits in the inbox."""


class AnotherPlanLives(stripe_gateway.BillingError):
    """The account has a plan whose end was not heard of yet, or pays for two."""


@transaction.atomic
def follow_subscription(fetched: StripeSubscription, *, at: datetime) -> str:
    """Apply the present state of a subscription. For the inbox alone: see above.

    Raises:
        UnknownAccount: its account is not here (R98).
        UnknownPrice: its price is none of the catalogue's.
        AnotherPlanLives: the account's other plan has to end first.
    """
    if not fetched.account:
        return Followed.NOT_OURS
    subscription = subscription_of(fetched, at=at)
    if subscription.ended_at:
        return Followed.KNOWN
    if fetched.status in _OVER:
        _end(subscription, fetched, at)
    else:
        _update(subscription, fetched, at)
    catching_up.catch_up(subscription, fetched, at=at)
    return Followed.FOLLOWED


def subscription_of(fetched: StripeSubscription, *, at: datetime) -> Subscription:
    """Return our row of a subscription, made if it is missing; its account is locked.

    Raises:
        UnknownAccount, UnknownPrice, AnotherPlanLives: see there.
    """
    account = _locked_account(fetched.account)
    return _known(fetched) or _begun(account, fetched, at)


def next_check(fetched: StripeSubscription, *, at: datetime) -> datetime:
    """Return when to ask about a subscription if nobody tells of it before."""
    soon = at + _SHORTEST_PAUSE
    settled = Invoice.objects.filter(
        status__in=(InvoiceStatus.PAID, InvoiceStatus.VOID)
    )
    latest = fetched.latest_invoice_id
    if latest and not settled.filter(stripe_invoice_id=latest).exists():
        return soon
    renewed_at = fetched.period_ends_at + _RENEWAL_TAKES
    ended_at = fetched.cancel_at + _END_TAKES if fetched.cancel_at else renewed_at
    return max(min(renewed_at, ended_at), soon)


def plan_and_interval(lookup_key: str) -> tuple[PlanVersion, Interval]:
    """Return which plan version, paid how often, a price is for.

    Raises:
        UnknownPrice: it is none of the catalogue's.
    """
    found = catalogue.version_of_price(lookup_key)
    if found is None:
        log.error("unknown_price", lookup_key=lookup_key)
        message = f"No version of a plan has the price “{lookup_key}”."
        raise UnknownPrice(message)
    return found


def _locked_account(public_id: str) -> Account:
    locked = Account.objects.select_for_update(no_key=True)
    account = locked.filter(public_id=public_id).first()
    if account is None:
        log.error("unknown_account", account=public_id)
        message = f"There is no account {public_id}."
        raise UnknownAccount(message)
    return account


def _known(fetched: StripeSubscription) -> Subscription | None:
    return (
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "plan_version__plan")
        .filter(stripe_subscription_id=fetched.id)
        .first()
    )


def _begun(account: Account, fetched: StripeSubscription, at: datetime) -> Subscription:
    """Make the row of a subscription that is heard of for the first time."""
    version, interval = plan_and_interval(fetched.lookup_key)
    is_over = fetched.status in _OVER
    if not is_over:
        _require_way(account, fetched, at)
    subscription = Subscription.objects.create(
        account=account,
        plan_version=version,
        interval=interval,
        status=SubscriptionStatus.CANCELED if is_over else _STATUSES[fetched.status],
        stripe_subscription_id=fetched.id,
        anchor_at=fetched.anchor_at,
        cancel_at=fetched.cancel_at,
        ended_at=(fetched.ended_at or at) if is_over else None,
        next_check_at=next_check(fetched, at=at),
    )
    renewing.record_beginning(subscription, starts_at=fetched.started_at, at=at)
    subscribing.push_terms(account.pk, at=at)
    return subscription


def _require_way(account: Account, fetched: StripeSubscription, at: datetime) -> None:
    live = subscribing.live_subscription(account.pk)
    has_begun = _STATUSES[fetched.status] in _BEGUN
    if live is None or (
        has_begun and leaving.make_way(live, begins_at=fetched.started_at, at=at)
    ):
        return
    log.error("another_plan_lives", account=account.public_id, came=fetched.id)
    message = f"{account.public_id} is on another plan than {fetched.id}."
    raise AnotherPlanLives(message)


def _update(
    subscription: Subscription, fetched: StripeSubscription, at: datetime
) -> None:
    version, interval = plan_and_interval(fetched.lookup_key)
    if version != subscription.plan_version:
        _change_version(subscription, version, at)
    subscription.interval = interval
    subscription.status = _STATUSES[fetched.status]
    subscription.anchor_at = fetched.anchor_at
    subscription.cancel_at = fetched.cancel_at
    subscription.next_check_at = next_check(fetched, at=at)
    subscription.save()
    if subscribing.is_paid(subscription):
        ending.thaw_blocks(subscription, at=at)
    subscribing.push_terms(subscription.account_id, at=at)


def _change_version(
    subscription: Subscription, version: PlanVersion, at: datetime
) -> None:
    auditing.record(
        action="subscription.changed",
        actor="stripe",
        account=subscription.account,
        target=str(version),
        before={"plan": str(subscription.plan_version)},
        after={"plan": str(version)},
        at=at,
    )
    subscription.plan_version = version
    PlanPeriod.objects.update_or_create(
        subscription=subscription, starts_at=at, defaults={"plan_version": version}
    )
    facts.tell_plan(subscription, key=f"{version.pk}:{at.isoformat()}", at=at)


def _end(subscription: Subscription, fetched: StripeSubscription, at: datetime) -> None:
    subscription.cancel_at = fetched.cancel_at
    ended = ending.end_plan(subscription, ended_at=fetched.ended_at or at, at=at)
    # What was never paid never began for anybody.
    if subscription.paid_until:
        notices.tell_end(subscription, ended, at=at)
