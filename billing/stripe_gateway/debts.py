"""The page where what is owed is paid. Amounts are cents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.stripe_gateway.checkout import CheckoutSession, read_session
from billing.stripe_gateway.connection import client, translated_errors

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class DebtOrder:
    """What a page asks for, of whom, and the ways back from it."""

    debt_payment: str
    account: str
    customer_id: str
    cents: int
    currency: str
    description: str
    expires_at: datetime
    return_url: str


def open_debt_checkout(order: DebtOrder, *, key: str) -> CheckoutSession:
    """Open a page for one amount, or return the one that this key opened before.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    metadata = {"debt_payment": order.debt_payment, "account": order.account}
    with translated_errors():
        session = client().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "customer": order.customer_id,
                "client_reference_id": order.account,
                "line_items": [
                    {
                        "price_data": {
                            "currency": order.currency,
                            "unit_amount": order.cents,
                            "product_data": {"name": order.description},
                        },
                        "quantity": 1,
                    }
                ],
                "allowed_payment_method_types": ["card"],
                # A session's metadata does not reach its payment: it is said twice.
                "metadata": metadata,
                "payment_intent_data": {
                    "description": order.description,
                    "metadata": metadata,
                },
                "expires_at": int(order.expires_at.timestamp()),
                "success_url": order.return_url,
                "cancel_url": order.return_url,
            },
            {"idempotency_key": key},
        )
    return read_session(session, ())
