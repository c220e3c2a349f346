"""Every kind of Stripe's objects that matters here, and what looks at it."""

from __future__ import annotations

from billing import card_expiry, customers, stripe_gateway
from billing.disputes import disputing, fraud_warnings
from billing.refunds import taking_back
from billing.reloads import charging
from billing.subscriptions import bills, following
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
register(
    Handler(
        object_kind="customer",
        events=("customer.updated",),
        fetch=stripe_gateway.customer,
        apply=customers.follow_customer,
    )
)
register(
    Handler(
        object_kind="refund",
        events=(
            "refund.created",
            "refund.updated",
            "refund.failed",
            "charge.refund.updated",
        ),
        fetch=stripe_gateway.refund,
        apply=taking_back.apply_refund,
    )
)
register(
    Handler(
        # It does not say which refund it was.
        object_kind="charge",
        events=("charge.refunded",),
        fetch=stripe_gateway.refunds_of_charge,
        apply=taking_back.apply_refunds,
    )
)
register(
    Handler(
        object_kind="dispute",
        events=(
            "charge.dispute.created",
            "charge.dispute.updated",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ),
        fetch=stripe_gateway.dispute,
        apply=disputing.apply_dispute,
    )
)
register(
    Handler(
        object_kind="radar.early_fraud_warning",
        events=(
            "radar.early_fraud_warning.created",
            "radar.early_fraud_warning.updated",
        ),
        fetch=stripe_gateway.fraud_warning,
        apply=fraud_warnings.apply_warning,
    )
)
register(
    Handler(
        object_kind="payment_intent",
        events=("payment_intent.succeeded", "payment_intent.payment_failed"),
        fetch=stripe_gateway.card_payment,
        apply=charging.follow,
    )
)
register(
    Handler(
        object_kind="payment_method",
        events=(
            "payment_method.attached",
            "payment_method.automatically_updated",
            "payment_method.detached",
            "payment_method.updated",
        ),
        fetch=stripe_gateway.attached_card,
        apply=card_expiry.follow_card,
    )
)
