"""Stripe's pages where a customer keeps cards and billing address."""

from __future__ import annotations

from billing.stripe_gateway.connection import client, translated_errors

_MARK = "purser"


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
        if found.metadata and _MARK in found.metadata:
            return found.id
    made = configurations.create(
        {
            "features": {
                "customer_update": {
                    "enabled": True,
                    "allowed_updates": ["address", "email", "name"],
                },
                "payment_method_update": {"enabled": True},
                "invoice_history": {"enabled": True},
            },
            "metadata": {_MARK: "portal"},
        },
        {"idempotency_key": "portal:1:1"},
    )
    return made.id
