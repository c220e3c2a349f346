"""Accounts as Stripe knows them."""

from __future__ import annotations

from dataclasses import dataclass

from billing.stripe_gateway.connection import client, translated_errors


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A customer; the country of the billing address is "" where none is known."""

    id: str
    country: str


def customer(customer_id: str) -> StripeCustomer:
    """Return a customer, also one that was deleted there.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.customers.retrieve(customer_id)
    # One that was deleted says nothing else.
    address = found.address if "address" in found else None
    return StripeCustomer(found.id, (address and address.country) or "")


def create_customer(*, account: str, name: str, email: str, key: str) -> str:
    """Create the customer of an account at Stripe and return its id.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    customers = client().v1.customers
    with translated_errors():
        # Only what never changes goes with the key: a retry after a change of name
        # would otherwise be refused as another request.
        customer = customers.create(
            {"metadata": {"account": account}}, {"idempotency_key": key}
        )
        customers.update(customer.id, {"name": name, "email": email})
    return customer.id
