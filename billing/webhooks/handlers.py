"""Every kind of Stripe's objects that matters here, and what looks at it."""

from __future__ import annotations

from billing import bills, following, stripe_gateway
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
        fetch=bills.fetch_checkout,
        apply=bills.follow_checkout,
    )
)
register(
    Handler(
        object_kind="subscription",
        events=(
            "customer.subscription.created",
            "customer.subscription.updated",
            "customer.subscription.deleted",
            "customer.subscription.paused",
            "customer.subscription.resumed",
            "customer.subscription.pending_update_applied",
            "customer.subscription.pending_update_expired",
        ),
        fetch=stripe_gateway.subscription,
        apply=following.follow_subscription,
    )
)
register(
    Handler(
        object_kind="invoice",
        # Not invoice.created: answering it late would hold the bill back for days.
        events=(
            "invoice.finalized",
            "invoice.finalization_failed",
            "invoice.marked_uncollectible",
            "invoice.paid",
            "invoice.payment_action_required",
            "invoice.payment_failed",
            "invoice.voided",
        ),
        fetch=bills.fetch_bill,
        apply=bills.follow_invoice,
    )
)
