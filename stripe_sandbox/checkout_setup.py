"""What the hosted page does in mode `setup`: save a card, pass or fail 3DS."""

from __future__ import annotations

from stripe_sandbox import saving
from stripe_sandbox.buyers import Buyer
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources import customers
from stripe_sandbox.resources.checkout_sessions import customer_details


def save(context: Context, session: Json, method: Json, buyer: Buyer) -> Json:
    """Save the buyer's card; the session stays open when 3DS is asked for.

    Raises:
        ApiError: the card was declined (402); the session stays open.
    """
    session = _with_customer(context, session, buyer)
    intent = context.change(
        _intent(context, session),
        customer=session["customer"],
        payment_method=method["id"],
        status="requires_confirmation",
    )
    context.store.note(session["id"], buyer=[buyer.email, buyer.name])
    return _finish(context, session, saving.attempt(context, intent))


def answer_challenge(context: Context, session: Json, *, passed: bool) -> Json:
    """Go on after the 3DS challenge.

    Raises:
        ApiError: it failed, or the bank declined (402); the session stays open.
    """
    intent = _intent(context, session)
    if intent["status"] != "requires_action":
        return session
    if not passed:
        raise saving.fail_authentication(context, intent)
    saved = saving.attempt(context, intent, authenticated=True)
    return _finish(context, session, saved)


def _intent(context: Context, session: Json) -> Json:
    return context.fetch("setup_intent", session["setup_intent"])


def _with_customer(context: Context, session: Json, buyer: Buyer) -> Json:
    if session["customer"] or session["customer_creation"] != "always":
        return session
    customer = customers.create(context, {"email": buyer.email, "name": buyer.name})
    return context.change(session, customer=customer["id"])


def _finish(context: Context, session: Json, intent: Json) -> Json:
    if intent["status"] != "succeeded":
        return session
    email, name = context.store.notes(session["id"])["buyer"]
    complete = context.change(
        session,
        customer_details=customer_details(email=email, name=name),
        status="complete",
        url=None,
    )
    context.emit("checkout.session.completed", complete)
    return complete
