"""Buying blocks: from a form to a page where they can be paid.

First our row, committed; then Stripe, under a key made of that row; then Stripe's
answer, committed. So every step can be repeated. Credits come later, in `settling`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import auditing
from billing import customers, stripe_gateway
from billing.models import PlanFamily, Purchase, PurchaseState
from billing.plans import subscribing

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User
    from billing.models import BlockOffer, Subscription
    from billing.stripe_gateway import CheckoutSession

CHECKOUT_LIFE = timedelta(hours=1)
# Stripe opens no page that would live for less than 30 minutes.
_OPENED_WITHIN = timedelta(minutes=25)
_FIRST_CHECK_AFTER, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
SAME_KEY_FOR = timedelta(minutes=5)

_SENTENCES = {
    PlanFamily.FREE: gettext_lazy("The Free plan uses no credits."),
    PlanFamily.CREATOR: gettext_lazy("Creator has no one-time credit purchases."),
    PlanFamily.PRO: gettext_lazy(
        "Pro has no one-time credit purchases: its tiers differ in credits instead."
    ),
    PlanFamily.LEGACY: gettext_lazy("Legacy plans use premium credits, in packs."),
}


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Which rule stands against it, in a sentence, and what can be done (R107)."""

    rule: str
    sentence: str
    way_forward: str


class PurchaseRefused(stripe_gateway.BillingError):
    """The plan of the account sells no blocks. Nothing was recorded."""

    def __init__(self, why_not: WhyNot) -> None:
        """Remember the reason."""
        super().__init__(why_not.sentence)
        self.why_not = why_not


def why_not(subscription: Subscription | None, *, at: datetime) -> WhyNot | None:
    """Return why an account on this plan cannot buy blocks; None if it can (R42, R107).

    `subscription` is the account's live one, None on Free.
    """
    if subscription and subscribing.is_over(subscription, at=at):
        subscription = None
    if subscription and subscription.plan_version.sells_blocks:
        if subscribing.is_paid(subscription):
            return None
        return WhyNot(
            "R42",
            _("A payment for the plan is missing."),
            _("Credits can be bought again once it is paid."),
        )
    family = subscription.plan_version.plan.family if subscription else PlanFamily.FREE
    return WhyNot(
        "R107",
        str(_SENTENCES[PlanFamily(family)]),
        subscribing.way_forward(subscription, at=at),
    )


def buy_blocks(
    *,
    account: Account,
    buyer: User,
    offer: BlockOffer,
    blocks: int,
    form_key: str,
    at: datetime,
) -> Purchase:
    """Open a purchase and the page where it is paid; credits come with the payment.

    The same form with the same number of blocks is the same purchase, in whatever
    state it is by now. While it is OPEN, `checkout_url` is where the buyer goes.

    Raises:
        PurchaseRefused: the plan sells no blocks (R42).
        StripeUnavailable: the purchase waits for Stripe; sending the form again, or
            the sweeper, goes on with it.
    """
    subscription = subscribing.live_subscription(account.pk)
    if refusal := why_not(subscription, at=at):
        raise PurchaseRefused(refusal)
    intent = Purchase(
        account=account,
        buyer=buyer,
        offer=offer,
        # Coming back to change the number is another order, a double click is not.
        form_key=f"{form_key}:{blocks}",
        blocks_asked=blocks,
        currency=offer.currency,
        opened_at=at,
        next_check_at=at + _FIRST_CHECK_AFTER,
    )
    return open_checkout(_recorded(intent), at=at)


def open_checkout(purchase: Purchase, *, at: datetime) -> Purchase:
    """Give an open purchase its checkout page; one that has it is left as it is.

    An order that Stripe could not be asked about in time is closed: nobody was given
    an address to pay it at.

    Raises:
        StripeUnavailable: ask again.
    """
    if purchase.state != PurchaseState.OPEN or purchase.stripe_session_id:
        return purchase
    still_open = Purchase.objects.filter(pk=purchase.pk, stripe_session_id=None)
    if at - purchase.opened_at > _OPENED_WITHIN:
        still_open.update(state=PurchaseState.EXPIRED, next_check_at=None)
    else:
        session = _open_at_stripe(purchase, attempt(purchase.opened_at, at=at))
        still_open.update(
            stripe_session_id=session.id,
            checkout_url=session.url,
            next_check_at=next_check(purchase, at=at),
        )
    purchase.refresh_from_db()
    return purchase


def next_check(purchase: Purchase, *, at: datetime) -> datetime:
    """Return when to ask Stripe again: the older the purchase, the less often."""
    age = at - purchase.opened_at
    return at + min(max(age, _FIRST_CHECK_AFTER), _LONGEST_PAUSE)


def attempt(since: datetime, *, at: datetime) -> int:
    """Return the number that goes into an idempotency key: it rises with time.

    Stripe repeats even a failure of its own under the key for a day, so a later try
    needs a new one; it may only do so where doing the thing twice harms nobody.
    """
    return 1 + max(at - since, timedelta()) // SAME_KEY_FOR


@transaction.atomic(durable=True)
def _recorded(intent: Purchase) -> Purchase:
    """Commit an intent, or return the one that the same form led to before."""
    Purchase.objects.bulk_create([intent], ignore_conflicts=True)
    purchase = Purchase.objects.select_related("account", "buyer", "offer").get(
        account=intent.account, form_key=intent.form_key
    )
    if purchase.public_id == intent.public_id:
        auditing.record(
            action="purchase.opened",
            actor=purchase.buyer,
            account=purchase.account,
            target=purchase.public_id,
            after={"blocks": purchase.blocks_asked, "offer": purchase.offer.version},
            at=purchase.opened_at,
        )
    return purchase


def _open_at_stripe(purchase: Purchase, number: int) -> CheckoutSession:
    offer = purchase.offer
    order = stripe_gateway.Order(
        purchase=purchase.public_id,
        account=purchase.account.public_id,
        customer_id=customers.customer_id(
            purchase.account,
            email=purchase.buyer.email,
            attempt=number,
            at=purchase.opened_at,
        ),
        price_id=stripe_gateway.price_id(offer.lookup_key),
        blocks=purchase.blocks_asked,
        min_blocks=offer.min_blocks,
        max_blocks=offer.max_blocks,
        description=f"Credits for {purchase.account.public_id}",
        # From the row, not the clock: a retry must send the very same request.
        expires_at=purchase.opened_at + CHECKOUT_LIFE,
        success_url=settings.BASE_URL
        + reverse("billing:purchase", args=[purchase.public_id]),
        cancel_url=settings.BASE_URL
        + reverse("billing:add_ons")
        + f"?blocks={purchase.blocks_asked}&canceled={purchase.public_id}",
    )
    # A second page, should there be one, is never shown to anybody.
    return stripe_gateway.open_checkout(order, key=f"checkout:{purchase.pk}:{number}")
