"""What the hosted page does: change the quantity, pay, pass or fail 3DS."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox import cards, charging
from stripe_sandbox.cards import Card, Decline
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources import (
    customers,
    line_items,
    payment_intents,
    payment_methods,
)
from stripe_sandbox.resources.checkout_sessions import customer_details
from stripe_sandbox.resources.fields import address

# The page asks for no address; like Stripe's, it knows the country of the card.
_ADDRESS = address({"country": "US"})


@dataclass(frozen=True, slots=True)
class Buyer:
    """What the buyer typed."""

    email: str
    name: str
    card_number: str
    expiry: tuple[int, int]


class SessionClosed(Exception):
    """The session is complete or expired."""


def open_session(context: Context, session_id: str) -> Json:
    """Return a session that can still be paid.

    Raises:
        ApiError: there is none.
        SessionClosed: it is complete or expired.
    """
    session = context.fetch("checkout.session", session_id)
    if session["status"] != "open":
        raise SessionClosed
    return session


def change_quantities(
    context: Context, session: Json, quantities: dict[str, int]
) -> Json:
    """Set the quantities by line item id and return the session with new totals."""
    items = [
        line_items.change_quantity(context, item, quantities[item["id"]])
        if item["id"] in quantities
        else item
        for item in line_items.of(context, session["id"])
    ]
    return context.change(session, **line_items.totals(items))


def pay(context: Context, session: Json, buyer: Buyer) -> Json:
    """Charge the buyer's card; the session stays open when 3DS is asked for.

    Raises:
        ApiError: the card was declined (402); the session stays open.
    """
    card = cards.by_number(buyer.card_number)
    if isinstance(card, Decline):
        raise payment_methods.declined(card)
    session = _with_customer(context, session, buyer)
    intent = _intent(context, session)
    method = _method(context, card, buyer)
    intent = context.change(
        intent, payment_method=method["id"], status="requires_confirmation"
    )
    session = context.change(session, payment_intent=intent["id"])
    context.store.note(session["id"], buyer=[buyer.email, buyer.name])
    return _finish(context, session, charging.attempt(context, intent, on_session=True))


def answer_challenge(context: Context, session: Json, *, passed: bool) -> Json:
    """Go on after the 3DS challenge.

    Raises:
        ApiError: it failed, or the bank declined (402); the session stays open.
    """
    intent = context.fetch("payment_intent", session["payment_intent"])
    if intent["status"] != "requires_action":
        return session
    if not passed:
        raise charging.fail_authentication(context, intent)
    paid = charging.attempt(context, intent, on_session=True, authenticated=True)
    return _finish(context, session, paid)


def waits_for_challenge(context: Context, session: Json) -> bool:
    """Whether the buyer's bank wants the 3DS challenge answered."""
    if session["payment_intent"] is None:
        return False
    intent = context.fetch("payment_intent", session["payment_intent"])
    return bool(intent["status"] == "requires_action")


def _with_customer(context: Context, session: Json, buyer: Buyer) -> Json:
    """A guest becomes a customer when asked to, or when the card is to be saved."""
    saves = "setup_future_usage" in _intent_data(context, session)
    wanted = saves or session["customer_creation"] == "always"
    if session["customer"] or not wanted:
        return session
    customer = customers.create(context, {"email": buyer.email, "name": buyer.name})
    return context.change(session, customer=customer["id"])


def _intent_data(context: Context, session: Json) -> Json:
    data: Json = context.store.notes(session["id"])["payment_intent_data"]
    return data


def _intent(context: Context, session: Json) -> Json:
    """The intent is made when the buyer first pays, and used for every further try."""
    if session["payment_intent"]:
        intent = context.fetch("payment_intent", session["payment_intent"])
        return context.change(intent, amount=session["amount_total"])
    wanted = {"amount": session["amount_total"], "currency": session["currency"]}
    if session["customer"]:
        wanted["customer"] = session["customer"]
    return payment_intents.add(context, wanted | _intent_data(context, session))


def _method(context: Context, card: Card, buyer: Buyer) -> Json:
    details = {"email": buyer.email, "name": buyer.name}
    return payment_methods.make(
        context, card, expiry=buyer.expiry, billing_details=details
    )


def _finish(context: Context, session: Json, intent: Json) -> Json:
    if intent["status"] != "succeeded":
        return session
    notes = context.store.notes(session["id"])
    email, name = notes["buyer"]
    _update_customer(
        context, session, notes["customer_update"], name=name, address=_ADDRESS
    )
    complete = context.change(
        session,
        customer_details=customer_details(email=email, name=name, address=_ADDRESS),
        payment_status="paid",
        status="complete",
        url=None,
    )
    context.emit("checkout.session.completed", complete)
    return complete


def _update_customer(
    context: Context, session: Json, wanted: Json, **typed: object
) -> None:
    """Take over what the buyer typed, where `customer_update` says `auto`."""
    values = {field: typed[field] for field in typed if wanted.get(field) == "auto"}
    if values:
        customer = context.fetch("customer", session["customer"])
        context.change(customer, event="customer.updated", **values)


def success_url(session: Json) -> str:
    """Return where the buyer goes after paying."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
