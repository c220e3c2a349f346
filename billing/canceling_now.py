"""Ending a plan at once, as staff may (R65): what it costs, and doing it.

With a refund, the money goes back first, so that what is unspent is counted before it
ends. Stripe ends the plan, and its word ends it here, as any other end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import auditing
from accounts.models import Account
from billing import (
    ending,
    losses,
    payments,
    refunding,
    stripe_gateway,
    subscribing,
)
from billing.models import InvoiceStatus
from billing.refunding import Extent, RefundRefused
from billing.webhooks import inbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from accounts.models import User
    from billing.losses import Losses
    from billing.models import Subscription
    from billing.payments import Payment
    from billing.refunding import RefundPreview


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


def cancel(
    previewed: CancelPreview,
    *,
    with_refund: bool,
    by: User,
    reason: str,
    form_key: str,
    at: datetime,
) -> None:
    """End a plan now; what its credits cost goes back, or is forfeited with them.

    Raises:
        RefundIncomplete: the plan goes on.
        StripeUnavailable: likewise; the same form goes on with it.

    Source: docs/rules.md R65.
    """
    subscription = previewed.subscription
    auditing.record(
        action="subscription.cancel_asked",
        actor=by,
        account=subscription.account,
        target=str(subscription.plan_version),
        after={"refund_cents": previewed.refund_cents if with_refund else 0},
        reason=reason,
        at=at,
    )
    if with_refund:
        _give_back(previewed.shares, by, reason, form_key, at)
    if subscription.stripe_subscription_id:
        _end_at_stripe(subscription, reason, form_key, at)
    else:
        _end_here(subscription, at)


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


def _give_back(
    shares: tuple[Share, ...], by: User, reason: str, form_key: str, at: datetime
) -> None:
    for share in shares:
        refund = refunding.ask(
            share.payment,
            share.preview,
            by=by,
            reason=reason,
            form_key=f"{form_key}:{share.payment.payment_intent_id}",
            at=at,
        )
        if not refund.stripe_refund_id:
            message = f"{refund.public_id}: {refund.failure or refund.state}"
            raise RefundIncomplete(message)


def _end_at_stripe(
    subscription: Subscription, reason: str, form_key: str, at: datetime
) -> None:
    stripe_id = subscription.stripe_subscription_id or ""
    stripe_gateway.end_now(
        stripe_id, comment=reason, key=f"cancel:{subscription.pk}:{form_key}"
    )
    inbox.look_again(object_kind="subscription", object_id=stripe_id, at=at)


@transaction.atomic
def _end_here(subscription: Subscription, at: datetime) -> None:
    """End a plan that Stripe knows nothing of, under its account's lock."""
    locked = Account.objects.select_for_update(no_key=True)
    locked.get(pk=subscription.account_id)
    live = subscribing.live_subscription(subscription.account_id)
    if live:
        ending.end_plan(live, ended_at=at, at=at)
