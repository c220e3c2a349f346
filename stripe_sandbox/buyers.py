"""Who pays on a hosted page, and with which card."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox import cards
from stripe_sandbox.cards import Decline
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources import payment_methods


@dataclass(frozen=True, slots=True)
class Buyer:
    """What the buyer typed."""

    email: str
    name: str
    card_number: str
    expiry: tuple[int, int]


def new_card(context: Context, buyer: Buyer) -> Json:
    """Make a payment method of the card that was typed.

    Raises:
        ApiError: it is no test card (402).
    """
    card = cards.by_number(buyer.card_number)
    if isinstance(card, Decline):
        raise payment_methods.declined(card)
    details = {"email": buyer.email, "name": buyer.name}
    return payment_methods.make(
        context, card, expiry=buyer.expiry, billing_details=details
    )
