"""The credits of a paid upgrade: the rest of this month at once, the others larger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing.changes import catching_up, changing, notices
from billing.models import ChangeKind, ChangeState
from billing.plans import renewing, returning, subscribing
from credits import ledger
from credits.models import GrantSource

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Cycle, Invoice, PlanChange, Subscription
    from billing.stripe_gateway import StripeInvoice

_SECOND = timedelta(seconds=1)
_MAY_BE_PAID = (ChangeState.ASKED, ChangeState.UNPAID, ChangeState.DONE)


def settle_upgrade(invoice: Invoice, fetched: StripeInvoice, *, at: datetime) -> int:
    """Grant what a paid bill for an upgrade brings; other bills bring nothing here.

    Returns the cents of it that are the cost of credits, now or in months to come.

    Call it once for each paid invoice, under the account's lock. What was previewed
    is granted, as of the instant to which the money was prorated; it ends with the
    running cycle's own grant.

    Source: docs/rules.md R22, R32, R100.
    """
    change = _upgrade_of(invoice, fetched)
    if change is None:
        return 0
    change.invoice = invoice
    change.save(update_fields=["invoice"])
    cents = _bring(change, invoice, fetched, at)
    returning.take_back(change, at=at)
    if change.state == ChangeState.DONE:
        notices.tell_done(change, at=at)
    return cents


def drop_upgrade(invoice: Invoice, fetched: StripeInvoice, *, at: datetime) -> None:
    """Close an upgrade whose bill became void: nobody can pay for it any more."""
    change = _upgrade_of(invoice, fetched)
    if change and change.state == ChangeState.UNPAID:
        catching_up.drop_unpaid(change, at=at)


def _bring(
    change: PlanChange, invoice: Invoice, fetched: StripeInvoice, at: datetime
) -> int:
    """Grant this month's credits and enlarge the others; return what they cost."""
    subscription = invoice.subscription
    if subscription is None or not all(line.is_proration for line in fetched.lines):
        return 0  # A term of its own brings its own credits (R30).
    cycle = subscribing.current_cycle(subscription, at=change.prorated_at)
    if cycle is None:
        return 0
    net_cents = max(0, sum(line.net_cents for line in fetched.lines))
    now_cents = _share_of_this_month(subscription, cycle, change, net_cents)
    # Cycles before the wallet: the lock order of all that grants.
    later_cents = renewing.resize_coming_months(
        subscription,
        version=change.to_version,
        extra_cents=net_cents - now_cents,
        at=change.prorated_at,
    )
    if not change.credits_now:
        return later_cents
    _grant(change, cycle, now_cents, at)
    return now_cents + later_cents


def _upgrade_of(invoice: Invoice, fetched: StripeInvoice) -> PlanChange | None:
    if fetched.reason != "subscription_update":
        return None
    candidates = changing.changes_of(invoice.account_id).filter(
        subscription=invoice.subscription,
        kind=ChangeKind.UPGRADE,
        state__in=_MAY_BE_PAID,
        invoice=None,
    )
    # The bill charges for the new price: from the instant of proration on, or, when
    # the interval changed too, for a term of its own.
    bought = {line.lookup_key for line in fetched.lines if line.net_cents >= 0}
    return next(
        (change for change in candidates if changing.lookup_key(change) in bought),
        None,
    )


def _share_of_this_month(
    subscription: Subscription, cycle: Cycle, change: PlanChange, net_cents: int
) -> int:
    """Return what of a payment is for the running month: for a monthly plan, all."""
    left = cycle.ends_at - change.prorated_at
    whole = (subscription.paid_until or cycle.ends_at) - change.prorated_at
    return net_cents * (left // _SECOND) // (whole // _SECOND)


def _grant(change: PlanChange, cycle: Cycle, cents: int, at: datetime) -> None:
    ledger.grant(
        wallet_id=ledger.open_wallet(account_id=change.account_id, at=at),
        source=GrantSource.UPGRADE,
        source_key=change.source_key,
        credits=change.credits_now,
        cost_basis_cents=cents,
        effective_at=change.prorated_at,
        expires_at=cycle.expires_at,
        actor="plan",
        reason=change.public_id,
        at=at,
    )
