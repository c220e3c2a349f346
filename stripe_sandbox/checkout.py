"""What the hosted page does: change the quantity, pay or save, pass or fail 3DS."""

from __future__ import annotations

from stripe_sandbox import charging, checkout_setup, checkout_subscription, discounting
from stripe_sandbox.buyers import Buyer, new_card
from stripe_sandbox.checkout_completion import complete
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources import customers, line_items, payment_intents


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
    if not quantities:
        return session
    items = [
        line_items.change_quantity(context, item, quantities[item["id"]])
        if item["id"] in quantities
        else item
        for item in line_items.of(context, session["id"])
    ]
    return _recounted(context, session, items)


def enter_code(context: Context, session: Json, typed: str) -> Json:
    """Redeem the promotion code that the buyer typed; an empty one takes it back.

    Raises:
        ApiError: there is no such code, or it cannot be redeemed.
    """
    discount = None
    if typed:
        discount = discounting.redeemable(
            context,
            {"promotion_code": discounting.promotion_code(context, typed)["id"]},
            currency=session["currency"],
            customer=session["customer"],
        )
    session = context.change(session, discounts=[discount] if discount else [])
    return _recounted(context, session, line_items.of(context, session["id"]))


def pay(context: Context, session: Json, buyer: Buyer) -> Json:
    """Charge or save the buyer's card; when 3DS is asked for, the session stays open.

    Raises:
        ApiError: the card was declined (402); the session stays open.
    """
    method = new_card(context, buyer)
    if session["mode"] == "setup":
        return checkout_setup.save(context, session, method, buyer)
    if session["mode"] == "subscription":
        return checkout_subscription.subscribe(context, session, method, buyer)
    session = _with_customer(context, session, buyer)
    intent = _intent(context, session)
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
    if session["mode"] == "setup":
        return checkout_setup.answer_challenge(context, session, passed=passed)
    if session["mode"] == "subscription":
        return checkout_subscription.answer_challenge(context, session, passed=passed)
    intent = context.fetch("payment_intent", session["payment_intent"])
    if intent["status"] != "requires_action":
        return session
    if not passed:
        raise charging.fail_authentication(context, intent)
    paid = charging.attempt(context, intent, on_session=True, authenticated=True)
    return _finish(context, session, paid)


def waits_for_challenge(context: Context, session: Json) -> bool:
    """Whether the buyer's bank wants the 3DS challenge answered."""
    if session["mode"] == "subscription":
        return checkout_subscription.waiting_intent(context, session) is not None
    intent_id = session["payment_intent"] or session["setup_intent"]
    intent = context.store.get(intent_id) if intent_id else None
    return intent is not None and intent["status"] == "requires_action"


def _recounted(context: Context, session: Json, items: list[Json]) -> Json:
    if session["mode"] == "subscription" and not session["amount_subtotal"]:
        return session  # a trial, or a plan for nothing
    [discount] = session["discounts"] or [None]
    items = line_items.discounted(context, items, discount)
    return context.change(session, **line_items.totals(items))


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


def _finish(context: Context, session: Json, intent: Json) -> Json:
    if intent["status"] != "succeeded":
        return session
    for discount in session["discounts"]:
        discounting.redeem(context, discount)
    return complete(context, session, payment_status="paid")


def success_url(session: Json) -> str:
    """Return where the buyer goes after paying."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
