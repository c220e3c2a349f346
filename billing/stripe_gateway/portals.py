"""Stripe's pages where a customer keeps cards and billing address."""

from __future__ import annotations

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import noted

# The next one with every change of what the pages let customers do.
_MARK, _NUMBER = "purser", "2"


def open_portal(customer_id: str, *, return_url: str) -> str:
    """Return an address that lets a customer in for some minutes.

    Plans are not changed there: here every change is shown first (R37).

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        session = client().v1.billing_portal.sessions.create(
            {
                "customer": customer_id,
                "configuration": _configuration_id(),
                "return_url": return_url,
            }
        )
    return session.url


def _configuration_id() -> str:
    configurations = client().v1.billing_portal.configurations
    for found in configurations.list({"active": True, "limit": 100}).data:
        if noted(found.metadata, _MARK) == _NUMBER:
            return found.id
    made = configurations.create(
        {
            "features": {
                "customer_update": {
                    "enabled": True,
                    "allowed_updates": ["address", "email", "name", "tax_id"],
                },
                "payment_method_update": {"enabled": True},
                "invoice_history": {"enabled": True},
            },
            "metadata": {_MARK: _NUMBER},
        },
        {"idempotency_key": f"portal:{_NUMBER}:1"},
    )
    return made.id
