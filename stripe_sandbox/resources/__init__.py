"""One module per resource of the API. Importing this package registers them all."""

from __future__ import annotations

from stripe_sandbox.resources import (  # noqa: F401 - importing registers the routes
    accounts,
    balance,
    charges,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    disputes,
    early_fraud_warnings,
    events,
    invoice_items,
    invoice_payments,
    invoice_previews,
    invoices,
    payment_intents,
    payment_methods,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    promotion_codes,
    refunds,
    setup_intents,
    subscription_items,
    subscription_schedules,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
