"""Our books beside Stripe's: each cent, each plan, or a sentence on what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q, Sum

from billing import stripe_gateway
from billing.models import (
    ChangeState,
    Customer,
    Cycle,
    Interval,
    Invoice,
    InvoiceStatus,
    PlanChange,
    Purchase,
    PurchaseState,
    Subscription,
)
from credits import audits
from credits.models import CreditGrant, GrantSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

_OF_ITSELF = ("subscription_create", "subscription_cycle")


def differences(account_ids: Collection[int], *, at: datetime) -> list[str]:
    """Return what is wrong, in the ledger of all and in the accounts named.

    Raises:
        StripeUnavailable: ask again.
    """
    found = [f"{finding.check}: {finding.text}" for finding in audits.verify()]
    found += _money(account_ids)
    found += _plans(account_ids)
    found += _months(account_ids, at)
    found += _upgrades(account_ids)
    return found


def _money(account_ids: Collection[int]) -> Iterator[str]:
    """Compare what Stripe took with what we know to be paid."""
    at_stripe = stripe_gateway.money_by_customer()
    customers = Customer.objects.filter(account__in=account_ids)
    for customer in customers.select_related("account"):
        theirs = at_stripe.get(customer.stripe_customer_id, 0)
        ours = _paid_cents(customer.account_id)
        if theirs != ours:
            yield f"{customer.account}: Stripe has {theirs} cents, we have {ours}."


def _paid_cents(account_id: int) -> int:
    # What is being refunded has left our books before it has left Stripe's.
    purchases = Purchase.objects.filter(account=account_id, state=PurchaseState.PAID)
    bills = Invoice.objects.filter(account=account_id, status=InvoiceStatus.PAID)
    return (purchases.aggregate(cents=Sum("paid_cents"))["cents"] or 0) + (
        bills.aggregate(cents=Sum("due_cents"))["cents"] or 0
    )


def _plans(account_ids: Collection[int]) -> Iterator[str]:
    """Compare each plan that Stripe renews with ours, both ways."""
    ours = {
        subscription.stripe_subscription_id: subscription
        for subscription in Subscription.objects.filter(
            account__in=account_ids, ended_at=None
        ).select_related("account", "plan_version__plan")
    }
    at_stripe = {plan.id: plan for plan in stripe_gateway.renewing_plans()}
    for stripe_id, subscription in ours.items():
        theirs = at_stripe.get(stripe_id or "")
        if theirs is None:
            yield f"{subscription}: Stripe has ended it."
        else:
            yield from _same_plan(subscription, theirs)
    known = Subscription.objects.filter(ended_at__isnull=False)
    ended = set(known.values_list("stripe_subscription_id", flat=True))
    for stripe_id in at_stripe.keys() & ended:
        yield f"{stripe_id}: Stripe renews what has ended here."


def _same_plan(
    subscription: Subscription, theirs: stripe_gateway.RenewingPlan
) -> Iterator[str]:
    interval = Interval(subscription.interval)
    if subscription.plan_version.lookup_key(interval) != theirs.lookup_key:
        yield f"{subscription}: at Stripe it is {theirs.lookup_key}."
    if subscription.status != theirs.status.upper():
        yield f"{subscription}: at Stripe it is {theirs.status}."
    is_paid = theirs.status == "active"
    if is_paid and subscription.paid_until != theirs.period_ends_at:
        yield (
            f"{subscription}: paid until {subscription.paid_until},"
            f" at Stripe until {theirs.period_ends_at}."
        )


def _months(account_ids: Collection[int], at: datetime) -> Iterator[str]:
    """Look for paid terms without months, and for begun months without credits."""
    terms = Invoice.objects.filter(
        account__in=account_ids, status=InvoiceStatus.PAID, reason__in=_OF_ITSELF
    )
    for bill in terms.filter(cycles=None):
        yield f"bill {bill} is paid and brought no month."
    begun = Cycle.objects.filter(
        Q(subscription__ended_at=None) | Q(subscription__ended_at__gt=F("starts_at")),
        subscription__account__in=account_ids,
        starts_at__lte=at,
        granted_at=None,
    )
    for cycle in begun:
        yield f"{cycle} is paid and was not granted."


def _upgrades(account_ids: Collection[int]) -> Iterator[str]:
    """Look for credits of upgrades that are not paid, and the other way round."""
    grants = CreditGrant.objects.filter(
        wallet__account__in=account_ids, source=GrantSource.UPGRADE
    )
    granted = set(grants.values_list("source_key", flat=True))
    made = PlanChange.objects.filter(account__in=account_ids, state=ChangeState.DONE)
    worth = {change.source_key for change in made.filter(credits_now__gt=0)}
    for key in sorted(granted ^ worth):
        yield f"{key}: its credits and its payment do not match."
