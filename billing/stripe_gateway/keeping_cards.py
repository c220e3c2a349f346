"""Saving cards, choosing the one that pays, and removing them.

Cards are typed in on Stripe's pages only. Choosing and removing can be repeated: a
second time changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.cards import SavedCard, read_card
from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import expanded, id_of

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CardSetup:
    """A page where a customer saves a card, and the ways back from it."""

    account: str
    customer_id: str
    expires_at: datetime
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class AttachedCard:
    """A card and whose it is: the customer is "" once it was removed."""

    card: SavedCard
    customer_id: str


@dataclass(frozen=True, slots=True)
class CardUses:
    """Which card pays by default, and which one pays for the plan; "" for none."""

    default_id: str
    plan_card_id: str


def open_card_setup(setup: CardSetup, *, key: str) -> str:
    """Return the address of a page where a card is saved, without a charge.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    metadata = {"account": setup.account}
    with translated_errors():
        session = client().v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": setup.customer_id,
                "client_reference_id": setup.account,
                "allowed_payment_method_types": ["card"],
                "metadata": metadata,
                "setup_intent_data": {"metadata": metadata},
                "expires_at": int(setup.expires_at.timestamp()),
                "success_url": setup.success_url,
                "cancel_url": setup.cancel_url,
            },
            {"idempotency_key": key},
        )
    return session.url or ""


def card_of_setup(session_id: str, *, customer_id: str) -> SavedCard | None:
    """Return the card that a customer saved on a page; None as long as there is none.

    Raises:
        NotAtStripe: there is no such page.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        session = client().v1.checkout.sessions.retrieve(
            session_id, {"expand": ["setup_intent.payment_method"]}
        )
    intent = expanded(session.setup_intent, stripe.SetupIntent)
    method = expanded(intent and intent.payment_method, stripe.PaymentMethod)
    is_theirs = id_of(session.customer) == customer_id
    if not is_theirs or session.status != "complete" or method is None:
        return None
    return read_card(method)


def attached_card(card_id: str) -> AttachedCard:
    """Return a card as Stripe knows it now, also one that was removed.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        method = client().v1.payment_methods.retrieve(card_id)
    return AttachedCard(card=read_card(method), customer_id=id_of(method.customer))


def card_uses(customer_id: str, *, subscription_id: str) -> CardUses:
    """Return which cards pay; `subscription_id` is that of the plan, "" without one.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        customer = client().v1.customers.retrieve(customer_id)
        settings = customer.invoice_settings
        default = id_of(settings.default_payment_method) if settings else ""
        if not subscription_id:
            return CardUses(default, "")
        plan = client().v1.subscriptions.retrieve(subscription_id)
    return CardUses(default, id_of(plan.default_payment_method) or default)


def make_default(card_id: str, *, customer_id: str, subscription_id: str) -> None:
    """Let a card pay from now on, also for the plan if there is one.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        client().v1.customers.update(
            customer_id, {"invoice_settings": {"default_payment_method": card_id}}
        )
        if subscription_id:
            # Its first checkout gave it a card of its own, which comes first.
            client().v1.subscriptions.update(
                subscription_id, {"default_payment_method": card_id}
            )


def remove_card(card_id: str) -> None:
    """Forget a card: it can never be charged again.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        client().v1.payment_methods.detach(card_id)
