"""Cards that customers have saved at Stripe. Numbers never come here."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from billing.stripe_gateway.connection import NotAtStripe, client, translated_errors


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A saved card; its fingerprint is that of the number, however often saved."""

    id: str
    fingerprint: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


def saved_cards(customer_id: str) -> list[SavedCard]:
    """Return the cards that a customer has saved, newest first.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        methods = client().v1.payment_methods.list(
            {"customer": customer_id, "type": "card", "limit": 100}
        )
    return [read_card(method) for method in methods.data]


def saved_card(card_id: str, *, customer_id: str) -> SavedCard:
    """Return one saved card of a customer.

    Raises:
        NotAtStripe: this customer has no such card (any more).
        StripeUnavailable: ask again.
    """
    with translated_errors():
        method = client().v1.payment_methods.retrieve(card_id)
    if method.customer != customer_id:
        message = "This customer has saved no such card."
        raise NotAtStripe(message)
    return read_card(method)


def read_card(method: stripe.PaymentMethod) -> SavedCard:
    """Return what matters here of a payment method that is a card."""
    card = method.card
    if card is None:
        message = "This payment method is no card."
        raise NotAtStripe(message)
    return SavedCard(
        id=method.id,
        fingerprint=card.fingerprint or "",
        brand=card.display_brand or card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
    )
