"""Accounts as customers of Stripe: made when money first moves, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Account
from billing import stripe_gateway
from billing.models import Customer
from billing.plans import subscribing

if TYPE_CHECKING:
    from datetime import datetime

    from billing.stripe_gateway import CheckoutSession, StripeCustomer


class UnknownAccount(stripe_gateway.BillingError):
    """Stripe names an account that is not here: it waits in the inbox (R98)."""


def customer_id(account: Account, *, email: str, attempt: int, at: datetime) -> str:
    """Return Stripe's id of an account, made there when it has none.

    `email` is told to Stripe when the account has no billing address of its own;
    `attempt` goes into the idempotency key.

    Raises:
        StripeUnavailable: ask again.
    """
    known = Customer.objects.filter(account=account).first()
    if known is None:
        made = stripe_gateway.create_customer(
            account=account.public_id,
            name=account.name,
            email=account.billing_email or email,
            key=f"customer:{account.pk}:{attempt}",
        )
        known, _created = Customer.objects.get_or_create(
            account=account, defaults={"stripe_customer_id": made, "created_at": at}
        )
    return known.stripe_customer_id


def note_country(session: CheckoutSession) -> None:
    """Remember the country of the address that was given on a checkout page."""
    if session.country:
        customer = Customer.objects.filter(stripe_customer_id=session.customer_id)
        customer.update(country=session.country)


@transaction.atomic
def follow_customer(fetched: StripeCustomer, *, at: datetime) -> str:
    """Follow a billing address to another country: the region of free videos (R0)."""
    known = Customer.objects.filter(stripe_customer_id=fetched.id).first()
    if known is None:
        return "not ours"
    # One without an address is one whose address was given on a checkout page.
    if fetched.country in {"", known.country}:
        return "known before"
    Account.objects.select_for_update(no_key=True).get(pk=known.account_id)
    known.country = fetched.country
    known.save(update_fields=["country"])
    subscribing.push_terms(known.account_id, at=at)
    return "followed"
