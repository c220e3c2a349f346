"""Every kind of Stripe's objects that matters here, and what looks at it."""

from __future__ import annotations

from billing import settling, stripe_gateway
from billing.webhooks.registry import Handler, register

register(
    Handler(
        object_kind="checkout.session",
        events=(
            "checkout.session.completed",
            "checkout.session.async_payment_succeeded",
            "checkout.session.async_payment_failed",
            "checkout.session.expired",
        ),
        fetch=stripe_gateway.checkout_session,
        apply=settling.settle_as,
    )
)
