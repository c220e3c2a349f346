"""Ending a plan at once, as staff may (R65): what it costs, and doing it.

The end and the refunds that go with it are written down together; then the money goes
back, so that what is unspent is counted before it ends; then Stripe ends the plan, and
its word ends it here, as any other end. The sweeper goes on with what is left of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import auditing
from accounts.models import Account
from billing import payments, stripe_gateway
from billing.changes import arranging, changing, losses
from billing.models import (
    ChangeKind,
    ChangeState,
    InvoiceStatus,
    PlanChange,
    RefundState,
    Timing,
)
from billing.plans import catalogue, ending, subscribing
from billing.refunds import refunding
from billing.refunds.refunding import Extent, RefundRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from accounts.models import User
    from billing.changes.losses import Losses
    from billing.models import Subscription
    from billing.payments import Payment
    from billing.refunds.refunding import RefundPreview


@dataclass(frozen=True, slots=True)
class Share:
    """The unspent share of one of the plan's payments."""

    payment: Payment
    preview: RefundPreview


@dataclass(frozen=True, slots=True)
class CancelPreview:
    """What ending a plan now would do: the losses of R58, or what could go back."""

    subscription: Subscription
    losses: Losses
    shares: tuple[Share, ...]

    @property
    def refund_cents(self) -> int:
        """Return the money for all that is unspent of the plan's payments."""
        return sum(share.preview.cents for share in self.shares)

    @property
    def shown(self) -> str:
        """Return what a form carries, so that only what was shown is done (R37)."""
        credits = (self.losses.forfeited.credits, self.losses.frozen.credits)
        return f"{self.subscription.pk}:{self.refund_cents}:{credits}"

    @property
    def currency(self) -> str:
        """Return the currency of that money."""
        return self.shares[0].payment.currency if self.shares else ""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who ends a plan, why, on which form, and whether money goes back with it."""

    with_refund: bool
    by: User
    reason: str
    form_key: str


class NoPlan(stripe_gateway.BillingError):
    """The account has no plan that could be canceled (any more)."""


class RefundIncomplete(stripe_gateway.BillingError):
    """A refund was not made, so the plan goes on: look at it first."""


def preview(account_id: int, *, at: datetime) -> CancelPreview:
    """Return what ending the account's plan now would do.

    Raises:
        NoPlan: there is none.
    """
    subscription = subscribing.live_subscription(account_id)
    if subscription is None:
        raise NoPlan
    return CancelPreview(
        subscription=subscription,
        losses=losses.losses_of(account_id, at=at),
        shares=tuple(_shares(subscription, at)),
    )


def cancel(previewed: CancelPreview, wish: Wish, *, at: datetime) -> bool:
    """End a plan now; what its credits cost goes back, or is forfeited with them.

    Returns whether it has ended; if not, it ends as soon as Stripe answers. A change
    that waits for its payment gives way. The same form is the same end.

    Raises:
        RefundIncomplete: the plan goes on.
        RefundRefused, ChangeInProgress: likewise, and nothing was recorded.
        StripeUnavailable: likewise, for an open change could not give way.

    Source: docs/rules.md R65.
    """
    subscription = previewed.subscription
    if not subscription.stripe_subscription_id:
        _end_here(previewed, wish, at)
        return True
    change = changing.by_form(subscription.account_id, wish.form_key)
    if change is None:
        _clear_the_way(subscription, at)
        change = _recorded(previewed, wish, at)
    refunds = refunding.asked_with(subscription.account_id, wish.form_key)
    for refund in refunds:
        refunding.go_on(refund, at=at)
    arranging.carry_on(change, at=at)
    if failed := refunds.filter(state=RefundState.FAILED).first():
        raise RefundIncomplete(f"{failed.public_id}: {failed.failure}")
    return change.state == ChangeState.DONE


def _shares(subscription: Subscription, at: datetime) -> Iterator[Share]:
    for invoice in subscription.invoices.filter(status=InvoiceStatus.PAID):
        payment = payments.payment_for(invoice)
        if payment is None:
            continue
        try:
            found = refunding.preview(payment, Extent.UNSPENT, at=at)
        except RefundRefused:
            continue  # Nothing of it is unspent, or it went back before.
        yield Share(payment, found)


def _clear_the_way(subscription: Subscription, at: datetime) -> None:
    if waiting := changing.open_change(subscription.account_id):
        arranging.give_up(waiting, at=at)


@transaction.atomic(durable=True)
def _recorded(previewed: CancelPreview, wish: Wish, at: datetime) -> PlanChange:
    """Commit the intent to end a plan, and those to refund what is unspent of it."""
    subscription = previewed.subscription
    Account.objects.select_for_update(no_key=True).get(pk=subscription.account_id)
    change = _intent(subscription, wish, at)
    changing.begin(change)
    for share in previewed.shares if wish.with_refund else ():
        refunding.record(
            share.payment,
            share.preview,
            by=wish.by,
            reason=wish.reason,
            form_key=f"{wish.form_key}:{share.payment.payment_intent_id}",
            at=at,
        )
    _write_down(previewed, wish, at)
    return change


def _intent(subscription: Subscription, wish: Wish, at: datetime) -> PlanChange:
    version = subscription.plan_version
    return PlanChange(
        account=subscription.account,
        subscription=subscription,
        kind=ChangeKind.CANCEL,
        timing=Timing.NOW,
        from_version=version,
        to_version=catalogue.plan_in_force(subscribing.FREE, at=at),
        to_interval=subscription.interval,
        form_key=wish.form_key,
        currency=version.currency,
        shown_cents=0,
        credits_now=0,
        prorated_at=at,
        requested_by=wish.by,
        requested_at=at,
        reason=wish.reason,
    )


@transaction.atomic
def _end_here(previewed: CancelPreview, wish: Wish, at: datetime) -> None:
    """End a plan that Stripe knows nothing of, under its account's lock."""
    account_id = previewed.subscription.account_id
    Account.objects.select_for_update(no_key=True).get(pk=account_id)
    _write_down(previewed, wish, at)
    if live := subscribing.live_subscription(account_id):
        ending.end_plan(live, ended_at=at, at=at)


def _write_down(previewed: CancelPreview, wish: Wish, at: datetime) -> None:
    subscription = previewed.subscription
    auditing.record(
        action="subscription.cancel_asked",
        actor=wish.by,
        account=subscription.account,
        target=str(subscription.plan_version),
        after={"refund_cents": previewed.refund_cents if wish.with_refund else 0},
        reason=wish.reason,
        at=at,
    )
