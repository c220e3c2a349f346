"""SetupIntents: saving a card for later without charging it."""

from __future__ import annotations

from stripe_sandbox import authentication, saving
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id, token
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.fields import metadata, refuse_unsupported, updated
from stripe_sandbox.resources.intents import (
    automatic_payment_methods,
    check_return_url,
)

_COPIED = ("allowed_payment_method_types", "customer", "description", "usage")
_SUPPORTED = frozenset({
    *_COPIED, "automatic_payment_methods", "confirm", "metadata", "payment_method",
    "return_url",
})  # fmt: skip
_UPDATES = frozenset({
    "allowed_payment_method_types", "customer", "description", "metadata",
    "payment_method",
})  # fmt: skip
_CONFIRMATION = frozenset({
    "allowed_payment_method_types", "payment_method", "return_url",
})  # fmt: skip
_CARD_OPTIONS = {
    "card": {
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
}


@operation("POST", "/v1/setup_intents")
def create(context: Context, params: Json) -> Json:
    """Create an intent and, with `confirm`, try to save its card."""
    refuse_unsupported("SetupIntents", params, _SUPPORTED)
    if "return_url" in params and not params.get("confirm"):
        raise ApiError(
            "The parameter `return_url` cannot be passed when creating a SetupIntent"
            " unless `confirm` is set to true.",
            param="return_url",
        )
    intent = add(context, params)
    return _confirm(context, intent, params) if params.get("confirm") else intent


@operation("GET", "/v1/setup_intents/{intent}")
def retrieve(context: Context, params: Json, intent: str) -> Json:
    """Return an intent."""
    refuse_unsupported("SetupIntents", params, frozenset())
    return context.fetch("setup_intent", intent)


@operation("POST", "/v1/setup_intents/{intent}")
def update(context: Context, params: Json, intent: str) -> Json:
    """Change an intent that has not succeeded."""
    refuse_unsupported("SetupIntents", params, _UPDATES)
    before = _in_state(context, intent, saving.CONFIRMABLE, verb="update")
    values = updated(
        before, params, "allowed_payment_method_types", "customer", "description"
    )
    return context.change(before, **values, **_given_method(context, params))


@operation("POST", "/v1/setup_intents/{intent}/confirm")
def confirm(context: Context, params: Json, intent: str) -> Json:
    """Try to save the card of an intent."""
    refuse_unsupported("SetupIntents", params, _CONFIRMATION)
    before = _in_state(context, intent, saving.CONFIRMABLE, verb="confirm")
    values = updated(before, params, "allowed_payment_method_types")
    changed = context.change(before, **values, **_given_method(context, params))
    return _confirm(context, changed, params)


@operation("POST", "/v1/setup_intents/{intent}/cancel")
def cancel(context: Context, params: Json, intent: str) -> Json:
    """Cancel an intent that has not succeeded."""
    before = _in_state(context, intent, saving.CONFIRMABLE, verb="cancel")
    canceled = context.change(
        before,
        cancellation_reason=params.get("cancellation_reason"),
        next_action=None,
        status="canceled",
    )
    context.emit("setup_intent.canceled", canceled)
    return canceled


@operation("GET", "/v1/setup_intents")
def list_intents(context: Context, params: Json) -> Json:
    """List intents, newest first."""
    keep = Filter(
        customer=params.get("customer"), payment_method=params.get("payment_method")
    ).created(params.get("created"))
    return page(context, "setup_intent", params, url="/v1/setup_intents", keep=keep)


@operation("GET", "/v1/setup_attempts")
def list_attempts(context: Context, params: Json) -> Json:
    """List the attempts of one intent, newest first."""
    keep = Filter(setup_intent=params["setup_intent"]).created(params.get("created"))
    return page(context, "setup_attempt", params, url="/v1/setup_attempts", keep=keep)


def add(context: Context, params: Json) -> Json:
    """Keep a new intent.

    Raises:
        ApiError: there is no such customer or payment method.
    """
    if "customer" in params:
        context.fetch("customer", params["customer"], param="customer")
    intent_id = new_id("seti")
    given = {name: params[name] for name in _COPIED if name in params}
    values: Json = {
        "automatic_payment_methods": automatic_payment_methods(params),
        "client_secret": f"{intent_id}_secret_{token(25)}",
        "payment_method_options": _CARD_OPTIONS,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    return context.create(
        "setup_intent",
        event="setup_intent.created",
        id=intent_id,
        metadata=metadata(params.get("metadata")),
        **(values | given | _given_method(context, params)),
    )


def _given_method(context: Context, params: Json) -> Json:
    if "payment_method" not in params:
        return {}
    method = payment_methods.resolve(
        context, params["payment_method"], param="payment_method"
    )
    return {"payment_method": method["id"], "status": "requires_confirmation"}


def _confirm(context: Context, intent: Json, params: Json) -> Json:
    if intent["payment_method"] is None:
        raise _unexpected_state(
            "You cannot confirm this SetupIntent because it's missing a payment method."
            " Update the SetupIntent with a payment method and then confirm it again.",
            intent,
        )
    check_return_url(intent, params)
    authentication.note_return_url(context, intent, params)
    return saving.attempt(context, intent)


def _in_state(
    context: Context, intent_id: str, states: tuple[str, ...], *, verb: str
) -> Json:
    intent = context.fetch("setup_intent", intent_id)
    if intent["status"] in states:
        return intent
    if intent["status"] == "succeeded" and verb == "confirm":
        raise _unexpected_state(
            "You cannot confirm this SetupIntent because it has already succeeded.",
            intent,
        )
    raise _unexpected_state(
        f"You cannot {verb} this SetupIntent because it has a status of"
        f" {intent['status']}.",
        intent,
    )


def _unexpected_state(message: str, intent: Json) -> ApiError:
    return ApiError(message, code="setup_intent_unexpected_state", setup_intent=intent)
