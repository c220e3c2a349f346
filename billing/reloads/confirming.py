"""A reload that the bank wants confirmed: a checkout page for the very same purchase.

The attempt that the bank stopped is canceled first, so that only one of the two can
ever succeed (R52).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from billing import stripe_gateway
from billing.models import Customer, Purchase, Reload, ReloadState
from billing.purchases import purchasing
from billing.reloads import charging

if TYPE_CHECKING:
    from datetime import datetime

# Stripe opens no page that would live for less than 30 minutes.
_SHORTEST_PAGE = timedelta(minutes=31)
_FIRST_CHECK_AFTER = timedelta(minutes=1)


class NothingToConfirm(stripe_gateway.BillingError):
    """It was paid, given up, or its time is over."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(_("This payment can no longer be confirmed."))


def can_be_confirmed(reload: Reload, *, at: datetime) -> bool:
    """Whether there is a page, or still time to open one."""
    if reload.state != ReloadState.NEEDS_ACTION or reload.action_expires_at is None:
        return False
    has_page = bool(reload.purchase.checkout_url)
    return at + (timedelta() if has_page else _SHORTEST_PAGE) < reload.action_expires_at


def open_page(reload: Reload, *, at: datetime) -> str:
    """Return the address of the page where the customer confirms the payment.

    Raises:
        NothingToConfirm: it was paid, given up, or its time is over.
        StripeUnavailable: ask again.
    """
    if not can_be_confirmed(reload, at=at):
        raise NothingToConfirm
    if reload.purchase.checkout_url:
        return reload.purchase.checkout_url
    stopped = stripe_gateway.cancel_payment(
        reload.last_payment_id, key=f"cancel:{reload.last_payment_id}"
    )
    if stopped.is_paid:
        charging.follow(stopped, at=at)
        raise NothingToConfirm
    number = purchasing.attempt(reload.began_at, at=at)
    session = stripe_gateway.open_checkout(
        _order(reload), key=f"confirm:{reload.pk}:{number}"
    )
    Purchase.objects.filter(pk=reload.purchase_id, stripe_session_id=None).update(
        stripe_session_id=session.id,
        checkout_url=session.url,
        next_check_at=at + _FIRST_CHECK_AFTER,
    )
    reload.purchase.refresh_from_db()
    return reload.purchase.checkout_url


def _order(reload: Reload) -> stripe_gateway.Order:
    purchase, offer = reload.purchase, reload.purchase.offer
    back = settings.BASE_URL + reverse("billing:reload")
    return stripe_gateway.Order(
        purchase=purchase.public_id,
        account=purchase.account.public_id,
        customer_id=Customer.objects.get(account=purchase.account).stripe_customer_id,
        price_id=stripe_gateway.price_id(offer.lookup_key),
        blocks=purchase.blocks_asked,
        min_blocks=purchase.blocks_asked,
        max_blocks=purchase.blocks_asked,
        description=f"Credits for {purchase.account.public_id}",
        expires_at=reload.action_expires_at or purchase.opened_at,
        success_url=settings.BASE_URL
        + reverse("billing:purchase", args=[purchase.public_id]),
        cancel_url=back,
    )
