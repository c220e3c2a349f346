"""Paid terms become months, and months become credits when they begin.

A paid month is one cycle, a paid year twelve; all are stored when the term is paid,
so that granting needs nobody's word again: whoever comes first grants what has begun,
with its original dates (R13, R17, R63).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import connection, transaction
from django.db.models import F, Q

from accounts import auditing
from accounts.prepared import fetch
from billing.core.periods import (
    MONTHS_IN_YEAR,
    Span,
    add_months,
    cycle_index,
    month_after,
    months,
)
from billing.core.revenue import share_cents
from billing.finance import bookings
from billing.models import (
    Cycle,
    Interval,
    PlanPeriod,
    Subscription,
    SubscriptionStatus,
)
from billing.outgoing import facts
from billing.plans import catalogue, disputed, subscribing
from credits import ledger
from credits.signals import credits_granted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.models import Invoice, PlanVersion

log = structlog.get_logger(__name__)

_OTHER_WAYS = (
    *("enable_sort", "enable_bitmapscan", "enable_seqscan"),
    *("enable_hashjoin", "enable_mergejoin"),
)
_BEFORE_THE_END = (
    Q(subscription__cancel_at=None) | Q(subscription__cancel_at__gt=F("starts_at"))
) & (Q(subscription__ended_at=None) | Q(subscription__ended_at__gt=F("starts_at")))


@transaction.atomic
def begin(
    *,
    account_id: int,
    plan_code: str,
    interval: Interval,
    anchor_at: datetime,
    at: datetime,
) -> Subscription:
    """Put an account on a plan that Stripe knows nothing of, its first term paid.

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
    record_beginning(subscription, starts_at=anchor_at, at=at)
    _pay_next_term(subscription, at)
    return subscription


@transaction.atomic
def renew(*, subscription_id: int, at: datetime) -> None:
    """Let the next term of such a plan be paid.

    Raises:
        Subscription.DoesNotExist: it has ended.
    """
    subscription = (
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .select_related("plan_version", "account")
        .get(pk=subscription_id, ended_at=None)
    )
    _pay_next_term(subscription, at)


def record_beginning(
    subscription: Subscription, *, starts_at: datetime, at: datetime
) -> None:
    """Write down that a subscription has begun, and with which version."""
    PlanPeriod.objects.create(
        subscription=subscription,
        plan_version=subscription.plan_version,
        starts_at=starts_at,
    )
    auditing.record(
        action="subscription.begun",
        actor="system",
        account=subscription.account,
        target=str(subscription.plan_version),
        at=at,
    )
    facts.tell_plan(subscription, key="begun", at=at)


def record_paid_term(
    subscription: Subscription,
    *,
    version: PlanVersion,
    interval: Interval,
    paid: Span,
    net_cents: int,
    paid_at: datetime,
    at: datetime,
    invoice: Invoice | None = None,
) -> list[Cycle]:
    """Store the months of a paid term, and grant those that have begun.

    Call it under the subscription's lock, once for each paid line, and push the terms
    afterwards. Months that would begin after the plan's end never come.

    Source: docs/rules.md R13, R14, R23, R63, R100.
    """
    spans = months(paid, subscription.anchor_at)
    expires_at = _end_of_credits(subscription, paid, interval)
    cycles = Cycle.objects.bulk_create(
        Cycle(
            subscription=subscription,
            plan_version=version,
            invoice=invoice,
            month=month,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            expires_at=expires_at,
            credits=version.cycle_credits,
            price_cents=share_cents(net_cents, month, of=len(spans)),
            paid_at=paid_at,
        )
        for month, span in enumerate(spans)
        if subscription.ended_at is None or span.starts_at < subscription.ended_at
    )
    if subscription.paid_until is None or subscription.paid_until < paid.ends_at:
        # R85: whatever a bank asks back now was for an earlier term.
        subscription.paid_until, subscription.disputed_at = paid.ends_at, None
        subscription.save(update_fields=["paid_until", "disputed_at"])
    _book_months(subscription, cycles, net_cents, invoice=invoice, at=at)
    ledger.open_wallet(account_id=subscription.account_id, at=at)
    _grant([cycle.pk for cycle in cycles if cycle.starts_at <= at], at)
    return cycles


@transaction.atomic
def grant_due_cycles(*, limit: int, at: datetime) -> int:
    """Grant up to `limit` months that have begun; return how many were due.

    Any number of workers may call it at once: each passes over what another one has
    claimed. A month is granted once, by its source key, with its original dates.

    Source: docs/rules.md R13, R17.
    """
    due = due_cycles(at=at).select_for_update(
        of=("self",), skip_locked=True, no_key=True
    )
    _follow_the_index()
    claimed = list(due.values_list("pk", flat=True)[:limit])
    _grant(claimed, at)
    return len(claimed)


def due_cycles(*, at: datetime) -> QuerySet[Cycle]:
    """Return the paid months that have begun and are not granted, longest due first."""
    begun = Cycle.objects.filter(_BEFORE_THE_END, granted_at=None, starts_at__lte=at)
    return begun.filter(disputed.PAYMENT_STANDS).order_by("starts_at", "id")


def grant_begun_cycles(
    subscription: Subscription, *, before: datetime, at: datetime
) -> int:
    """Grant the months of one subscription that began before an instant."""
    begun = (
        subscription.cycles.filter(granted_at=None, starts_at__lt=before)
        .filter(disputed.PAYMENT_STANDS, starts_at__lte=at)
        .select_for_update(of=("self",), no_key=True)
    )
    return _grant(list(begun.values_list("pk", flat=True)), at)


def resize_coming_months(
    subscription: Subscription, *, version: PlanVersion, extra_cents: int, at: datetime
) -> int:
    """Give the paid months that are still to come another size (R32).

    What a refund took off them stays off (R82). What was paid on top is spread over
    those that bring credits; returns how many cents were.
    """
    coming = list(
        subscription.cycles.select_for_update(of=("self",), no_key=True)
        .select_related("plan_version")
        .filter(granted_at=None, starts_at__gt=at)
        .order_by("starts_at")
    )
    for cycle in coming:
        cycle.credits = _resized(cycle, version.cycle_credits)
        cycle.plan_version = version
    paid = [cycle for cycle in coming if cycle.credits]
    for place, cycle in enumerate(paid):
        cycle.price_cents += share_cents(extra_cents, place, of=len(paid))
    Cycle.objects.bulk_update(coming, ["plan_version", "credits", "price_cents"])
    return extra_cents if paid else 0


def _resized(cycle: Cycle, size: int) -> int:
    refunded = cycle.plan_version.cycle_credits - cycle.credits
    return max(size - refunded, min(size, cycle.credits))


def _pay_next_term(subscription: Subscription, at: datetime) -> None:
    version, anchor_at = subscription.plan_version, subscription.anchor_at
    is_yearly = subscription.interval == Interval.YEAR
    first = cycle_index(anchor_at, subscription.paid_until or anchor_at)
    after = first + (MONTHS_IN_YEAR if is_yearly else 1)
    record_paid_term(
        subscription,
        version=version,
        interval=Interval(subscription.interval),
        paid=Span(add_months(anchor_at, first), add_months(anchor_at, after)),
        net_cents=(version.year_cents if is_yearly else version.month_cents) or 0,
        paid_at=at,
        at=at,
    )
    subscribing.push_terms(subscription.account_id, at=at)


def _book_months(
    subscription: Subscription,
    cycles: Sequence[Cycle],
    net_cents: int,
    *,
    invoice: Invoice | None,
    at: datetime,
) -> None:
    """Book what is known of a term's money only here: the bill tells the rest."""
    if not any(cycle.credits for cycle in cycles):
        return
    stored = sum(cycle.price_cents for cycle in cycles)
    if invoice is None:
        bookings.months_brought_in(subscription, cents=stored, at=at)
    else:
        never = net_cents - stored
        bookings.months_forfeited(
            subscription, key=f"invoice:{invoice.pk}", cents=never, at=at
        )


def _end_of_credits(
    subscription: Subscription, paid: Span, interval: Interval
) -> datetime:
    # R14, R31: those of a year pile up until it ends; those of a month live through
    # the next one, and so never roll twice.
    if interval == Interval.YEAR:
        return paid.ends_at
    return month_after(paid, subscription.anchor_at).ends_at


def _follow_the_index() -> None:
    """Let a claim go along the index of what is due, whatever the planner thinks.

    To sort all that is due for each claim would make renewals quadratic.
    """
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {way} = off" for way in _OTHER_WAYS))


def _grant(cycle_ids: Sequence[int], at: datetime) -> int:
    """Grant months that the caller has locked or just made; return how many."""
    call = "SELECT * FROM billing_grant_cycles(%s::bigint[], %s)"
    [done] = fetch(call, [list(cycle_ids), at])
    if done.entry_ids:
        credits_granted.send(sender=None, entry_ids=done.entry_ids, at=at)
    # One month that cannot be granted must not keep the others from theirs.
    for cycle_id in done.refused_ids:
        log.error("cycle_not_granted", cycle=cycle_id)
    return len(cycle_ids) - len(done.refused_ids)
