"""Giving money back."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from billing.stripe_gateway.connection import client, translated_errors


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back."""

    id: str
    status: str

    @property
    def has_failed(self) -> bool:
        """Whether the money stayed where it was."""
        return self.status in {"failed", "canceled"}


def refund_payment(payment_intent_id: str, *, purchase: str, key: str) -> Refund:
    """Give all the money of a payment back, once, whoever asked for it first.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    refunds = client().v1.refunds
    try:
        with translated_errors():
            refund = refunds.create(
                {
                    "payment_intent": payment_intent_id,
                    "metadata": {"purchase": purchase},
                },
                {"idempotency_key": key},
            )
    except stripe.InvalidRequestError as refused:
        if refused.code != "charge_already_refunded":
            raise
        # Somebody was quicker, in Stripe's dashboard for instance.
        with translated_errors():
            listed = refunds.list({"payment_intent": payment_intent_id, "limit": 1})
        refund = listed.data[0]
    return Refund(id=refund.id, status=refund.status or "")
