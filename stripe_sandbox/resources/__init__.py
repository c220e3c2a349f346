"""One module per resource of the API. Importing this package registers them all."""

from __future__ import annotations

from stripe_sandbox.resources import (  # noqa: F401 - importing registers the routes
    accounts,
    balance,
    charges,
    checkout_sessions,
    customers,
    events,
    payment_intents,
    payment_methods,
    prices,
    products,
    refunds,
    webhook_endpoints,
)
