"""Bringing customers to the version of their plan that is sold now (R36).

A version is never edited, and who is on one stays there until this moves them: to the
same plan, paid as often, from a whole term on that begins after they were told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.models import Account
from billing.changes import arranging, changing, previewing
from billing.changes.previewing import Target
from billing.core.periods import MONTHS_IN_YEAR, add_months, cycle_index
from billing.models import (
    ChangeKind,
    ChangeState,
    Interval,
    PlanChange,
    Subscription,
    Timing,
)
from billing.models.plan_change import new_change_id
from billing.plans import catalogue, subscribing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_WAITING = (*changing.OPEN, ChangeState.SCHEDULED)
_FIRST_CHECK_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Migration:
    """Who moves from which version to which, and from when on. Cents are a term's.

    `obstacle` says why it cannot be now; "" if nothing stands against it.
    """

    subscription: Subscription
    target: Target
    begins_at: datetime
    old_cents: int
    new_cents: int
    obstacle: str


def planned(*, plan_code: str = "", at: datetime) -> Iterator[Migration]:
    """Yield everybody who is on an older version than is sold, of one plan or of all.

    Source: docs/rules.md R36.
    """
    sold = {
        version.plan_id: version
        for version in catalogue.plans_in_force(at=at)
        if plan_code in {"", version.plan.code}
    }
    older = (
        Subscription.objects.filter(ended_at=None, plan_version__plan__in=sold)
        .exclude(stripe_subscription_id=None)
        .exclude(plan_version__in=sold.values())
        .select_related("account", "plan_version__plan")
        .order_by("pk")
    )
    for subscription in older.iterator():
        version = sold[subscription.plan_version.plan_id]
        target = Target(version, Interval(subscription.interval))
        yield _migration(subscription, target, at)


def migrate(migration: Migration, *, at: datetime) -> PlanChange | None:
    """Schedule a migration at Stripe; its customer is told. None: it cannot be now.

    What Stripe does not answer, the sweeper asks again.
    """
    change = _record(migration, at=at)
    if change:
        arranging.carry_on(change, at=at)
    return change


def _migration(subscription: Subscription, target: Target, at: datetime) -> Migration:
    present = Target(subscription.plan_version, target.interval)
    return Migration(
        subscription=subscription,
        target=target,
        begins_at=_first_term_after(
            subscription, at + timedelta(days=settings.PRICE_NOTICE_DAYS)
        ),
        old_cents=previewing.term_cents(present) or 0,
        new_cents=previewing.term_cents(target) or 0,
        obstacle=_obstacle(subscription, target, at),
    )


def _first_term_after(subscription: Subscription, told_until: datetime) -> datetime:
    """Return when the first term begins that is not before the notice is over."""
    months = MONTHS_IN_YEAR if subscription.interval == Interval.YEAR else 1
    anchor_at = subscription.anchor_at
    begins_at = subscription.paid_until or anchor_at
    index = cycle_index(anchor_at, begins_at)
    while begins_at < told_until:
        index += months
        begins_at = add_months(anchor_at, index)
    return begins_at


def _obstacle(subscription: Subscription, target: Target, at: datetime) -> str:
    if previewing.term_cents(target) is None:
        return _("The new version is not sold at this interval.")
    if against := previewing.obstacle(subscription, at=at):
        return str(against)
    waiting = changing.changes_of(subscription.account_id).filter(state__in=_WAITING)
    if waiting.exists():
        return _("Another change of the plan is on its way.")
    return ""


@transaction.atomic(durable=True)
def _record(migration: Migration, *, at: datetime) -> PlanChange | None:
    subscription, target = migration.subscription, migration.target
    account = Account.objects.select_for_update(no_key=True).get(
        pk=subscription.account_id
    )
    live = subscribing.live_subscription(account.pk)
    is_moved = live is None or live.plan_version != subscription.plan_version
    if is_moved or _obstacle(subscription, target, at):
        return None
    change = PlanChange.objects.create(
        account=account,
        subscription=subscription,
        kind=ChangeKind.MIGRATE,
        timing=Timing.CYCLE_END,
        from_version=subscription.plan_version,
        to_version=target.version,
        to_interval=target.interval,
        form_key=new_change_id(),
        currency=target.version.currency,
        shown_cents=0,
        credits_now=0,
        prorated_at=at,
        takes_effect_at=migration.begins_at,
        requested_at=at,
        next_check_at=at + _FIRST_CHECK_AFTER,
    )
    auditing.record(
        action="plan_change.asked",
        actor="system",
        account=account,
        target=change.public_id,
        before={"plan": str(change.from_version)},
        after={"plan": str(change.to_version), "from": str(migration.begins_at)},
        at=at,
    )
    return change
