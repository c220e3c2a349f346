"""What an account is told about its plan."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from accounts import notifying
from billing.changes import changing
from billing.models import ChangeKind, Interval, Subscription
from billing.plans import subscribing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.models import Invoice, PlanVersion
    from billing.plans.ending import Ended

RENEWAL_AHEAD = timedelta(days=30)


def tell_overdue(
    subscription: Subscription, invoice: Invoice, pay_url: str, *, at: datetime
) -> None:
    """Tell that a payment failed, where to pay, and how long credits last (R62)."""
    what = {
        "invoice": invoice,
        "pay_url": pay_url,
        "spends_until": subscribing.spends_until(subscription),
    }
    _tell("plan_overdue", f"invoice:{invoice.pk}", subscription, what, at)


def tell_payment(
    subscription: Subscription, invoice: Invoice, credits: int, *, at: datetime
) -> None:
    """Tell that a term is paid: a receipt, or the end of a worry."""
    kind = "plan_recovered" if invoice.failed_at else "plan_paid"
    what = {
        "invoice": invoice,
        "credits": credits,
        "paid_until": subscription.paid_until,
    }
    _tell(kind, f"invoice:{invoice.pk}", subscription, what, at)


def tell_end(subscription: Subscription, ended: Ended, *, at: datetime) -> None:
    """Tell that the plan has ended, and what became of the credits (R58)."""
    _tell("plan_ended", f"end:{subscription.pk}", subscription, {"ended": ended}, at)


@transaction.atomic
def tell_renewals(*, limit: int, at: datetime) -> int:
    """Tell of years that renew within 30 days and what they cost, each once."""
    due = (
        renewals_to_tell(at=at)
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("account", "plan_version__plan")
    )
    subscriptions = list(due[:limit])
    for subscription in subscriptions:
        key = f"renewal:{subscription.pk}:{subscription.paid_until:%Y-%m-%d}"
        what = {
            "renews_at": subscription.paid_until,
            "version": _coming_version(subscription),
        }
        _tell("plan_renews", key, subscription, what, at)
        subscription.renewal_told_at = at
        subscription.save(update_fields=["renewal_told_at"])
    return len(subscriptions)


def renewals_to_tell(*, at: datetime) -> QuerySet[Subscription]:
    """Return the years that renew soon and were not told of, the nearest first."""
    told_before = F("paid_until") - RENEWAL_AHEAD
    untold = Q(renewal_told_at=None) | Q(renewal_told_at__lt=told_before)
    return Subscription.objects.filter(
        untold,
        interval=Interval.YEAR,
        ended_at=None,
        cancel_at=None,
        paid_until__gt=at,
        paid_until__lte=at + RENEWAL_AHEAD,
    ).order_by("paid_until")


def _coming_version(subscription: Subscription) -> PlanVersion:
    """Return the version of the next term: its price may be a new one (R36)."""
    scheduled = changing.scheduled_change(subscription.account_id)
    is_new_price = (
        scheduled is not None
        and scheduled.kind == ChangeKind.MIGRATE
        and scheduled.takes_effect_at == subscription.paid_until
    )
    if scheduled and is_new_price:
        return scheduled.to_version
    return subscription.plan_version


def _tell(
    kind: str,
    key: str,
    subscription: Subscription,
    what: Mapping[str, Any],
    at: datetime,
) -> None:
    account = subscription.account
    notifying.notify(
        kind=kind,
        key=f"{key}:{kind}",
        recipients=notifying.billing_recipients(account),
        context={
            "subscription": subscription,
            "version": subscription.plan_version,
            **what,
            "plan": subscription.plan_version.plan,
            "plan_url": f"{settings.BASE_URL}{reverse('billing:plan')}",
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )
