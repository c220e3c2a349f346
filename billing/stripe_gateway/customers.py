"""Accounts as Stripe knows them."""

from __future__ import annotations

from billing.stripe_gateway.connection import client, translated_errors


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
