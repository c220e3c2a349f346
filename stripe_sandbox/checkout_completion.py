"""The end of a session that was paid: what was typed is kept, and it is told."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources.checkout_sessions import customer_details
from stripe_sandbox.resources.fields import address

# The page asks for no address; like Stripe's, it knows the country of the card.
_ADDRESS = address({"country": "US"})


def complete(context: Context, session: Json, **values: object) -> Json:
    """Complete a session with further values and return it."""
    notes = context.store.notes(session["id"])
    email, name = notes["buyer"]
    _update_customer(
        context, session, notes["customer_update"], name=name, address=_ADDRESS
    )
    details = customer_details(email=email, name=name, address=_ADDRESS)
    completed = context.change(
        session,
        event="",  # told below, without what it was before
        customer_details=details,
        status="complete",
        url=None,
        **values,
    )
    context.emit("checkout.session.completed", completed)
    return completed


def _update_customer(
    context: Context, session: Json, wanted: Json, **typed: object
) -> None:
    """Take over what the buyer typed, where `customer_update` says `auto`."""
    values = {field: typed[field] for field in typed if wanted.get(field) == "auto"}
    if values:
        customer = context.fetch("customer", session["customer"])
        context.change(customer, event="customer.updated", **values)
