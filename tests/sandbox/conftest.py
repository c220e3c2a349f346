from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.stripe_wire import StripeWire

BLOCK_CENTS = 500


def at(seconds: int) -> datetime:
    """Return the instant that Stripe writes as so many seconds."""
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def wire() -> Iterator[StripeWire]:
    wire = StripeWire()
    yield wire
    wire.close()


@pytest.fixture
def client(wire: StripeWire) -> stripe.StripeClient:
    return wire.client(max_network_retries=0)


@pytest.fixture
def block(client: stripe.StripeClient) -> stripe.Price:
    """The price of a block of credits."""
    return client.v1.prices.create(
        {
            "currency": "usd",
            "lookup_key": "block",
            "product_data": {"name": "Block of 100 credits"},
            "unit_amount": BLOCK_CENTS,
        }
    )


@pytest.fixture
def alice(client: stripe.StripeClient) -> stripe.Customer:
    return client.v1.customers.create({"email": "alice@acme.example", "name": "Alice"})


@pytest.fixture
def open_session(
    client: stripe.StripeClient, block: stripe.Price
) -> Callable[..., stripe.checkout.Session]:
    """Open a checkout for three blocks, 1 to 50 of which may be chosen."""

    def open_session(**params: Any) -> stripe.checkout.Session:
        bounds = {"enabled": True, "minimum": 1, "maximum": 50}
        line = {"price": block.id, "quantity": 3, "adjustable_quantity": bounds}
        return client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [line],
                "success_url": "https://portal.example/done?s={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://portal.example/buy",
                **params,
            }
        )

    return open_session


@pytest.fixture
def pay_now(
    client: stripe.StripeClient, alice: stripe.Customer
) -> Callable[..., stripe.PaymentIntent]:
    """Charge a saved card off-session."""

    def pay_now(card: str = "pm_card_visa", **params: Any) -> stripe.PaymentIntent:
        return client.v1.payment_intents.create(
            {
                "amount": BLOCK_CENTS,
                "currency": "usd",
                "customer": alice.id,
                "payment_method": card,
                "off_session": True,
                "confirm": True,
                **params,
            }
        )

    return pay_now


@pytest.fixture
def plan(client: stripe.StripeClient) -> Callable[..., stripe.Price]:
    """Create a recurring price, 29 dollars a month if nothing else is said."""

    def plan(
        cents: int = 2900, interval: str = "month", name: str = "Creator", **params: Any
    ) -> stripe.Price:
        return client.v1.prices.create(
            {
                "currency": "usd",
                "product_data": {"name": name},
                "recurring": {"interval": interval},
                "unit_amount": cents,
                **params,
            }
        )

    return plan


@pytest.fixture
def put_card(client: stripe.StripeClient) -> Callable[..., str]:
    """Attach a card to a customer, as the default of their invoices."""

    def put_card(customer: stripe.Customer, card: str = "pm_card_visa") -> str:
        method = client.v1.payment_methods.attach(card, {"customer": customer.id})
        settings = {"default_payment_method": method.id}
        client.v1.customers.update(customer.id, {"invoice_settings": settings})
        return method.id

    return put_card


@pytest.fixture
def subscribe(
    client: stripe.StripeClient, alice: stripe.Customer, put_card: Callable[..., str]
) -> Callable[..., stripe.Subscription]:
    """Subscribe Alice, with a card that works, to a price."""

    def subscribe(
        price: stripe.Price, card: str = "pm_card_visa", **params: Any
    ) -> stripe.Subscription:
        customer = params.pop("customer", alice)
        put_card(customer, card)
        return client.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": price.id}], **params}
        )

    return subscribe
