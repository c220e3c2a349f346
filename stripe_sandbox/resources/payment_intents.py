"""PaymentIntents, confirmed by the API off-session or by the hosted checkout."""

from __future__ import annotations

from stripe_sandbox import authentication, charging
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id, token
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.fields import (
    check_amount,
    metadata,
    refuse_unsupported,
    updated,
)
from stripe_sandbox.resources.intents import (
    automatic_payment_methods,
    check_return_url,
)

_SUPPORTED = frozenset({
    "allowed_payment_method_types", "amount", "automatic_payment_methods",
    "confirm", "currency", "customer",
    "description", "error_on_requires_action", "metadata", "off_session",
    "payment_method", "receipt_email", "return_url", "setup_future_usage",
    "statement_descriptor", "statement_descriptor_suffix",
})  # fmt: skip
_COPIED = ("allowed_payment_method_types", "customer", "description", "receipt_email",
           "setup_future_usage", "statement_descriptor",
           "statement_descriptor_suffix")  # fmt: skip
_CONFIRMATION = frozenset({
    "error_on_requires_action", "off_session", "payment_method", "receipt_email",
    "return_url", "setup_future_usage",
})  # fmt: skip
_CANCELABLE = (*charging.CONFIRMABLE, "processing", "requires_capture")


@operation("POST", "/v1/payment_intents")
def create(context: Context, params: Json) -> Json:
    """Create an intent and, with `confirm`, try to pay it."""
    refuse_unsupported("PaymentIntents", params, _SUPPORTED)
    _check_confirmation_flags(params)
    check_amount(params["amount"], params["currency"])
    if "customer" in params:
        context.fetch("customer", params["customer"], param="customer")
    intent = add(context, params)
    return _confirm(context, intent, params) if params.get("confirm") else intent


@operation("GET", "/v1/payment_intents/{intent}")
def retrieve(context: Context, params: Json, intent: str) -> Json:
    """Return an intent."""
    return context.fetch("payment_intent", intent)


@operation("POST", "/v1/payment_intents/{intent}")
def update(context: Context, params: Json, intent: str) -> Json:
    """Change an intent; once it succeeded, only what describes it."""
    refuse_unsupported("PaymentIntents", params, _SUPPORTED)
    before = context.fetch("payment_intent", intent)
    if "amount" in params and before["status"] not in charging.CONFIRMABLE:
        raise _unexpected_state(
            "This PaymentIntent's amount could not be updated because it has a status"
            f" of {before['status']}.",
            before,
        )
    values = updated(before, params, "amount", *_COPIED)
    if "payment_method" in params:
        values |= _with_method(context, params["payment_method"])
    return context.change(before, **values)


@operation("POST", "/v1/payment_intents/{intent}/confirm")
def confirm(context: Context, params: Json, intent: str) -> Json:
    """Try to pay an intent."""
    refuse_unsupported("PaymentIntents", params, _CONFIRMATION)
    before = context.fetch("payment_intent", intent)
    if before["status"] not in charging.CONFIRMABLE:
        raise _unexpected_state(_not_confirmable(before), before)
    values = updated(before, params, "receipt_email", "setup_future_usage")
    if "payment_method" in params:
        values |= _with_method(context, params["payment_method"])
    return _confirm(context, context.change(before, **values), params)


@operation("POST", "/v1/payment_intents/{intent}/cancel")
def cancel(context: Context, params: Json, intent: str) -> Json:
    """Cancel an intent that has not been paid; an invoice's ends with the invoice."""
    before = context.fetch("payment_intent", intent)
    if context.store.notes(intent).get("invoice"):
        raise _unexpected_state(
            "You cannot cancel this PaymentIntent because it belongs to an invoice."
            " Void the invoice instead.",
            before,
        )
    if before["status"] not in _CANCELABLE:
        raise _unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of"
            f" {before['status']}. Only a PaymentIntent with one of the following"
            " statuses may be canceled: requires_payment_method, requires_capture,"
            " requires_reauthorization, requires_confirmation, requires_action,"
            " processing.",
            before,
        )
    canceled = context.change(
        before,
        canceled_at=context.now,
        cancellation_reason=params.get("cancellation_reason"),
        next_action=None,
        status="canceled",
    )
    context.emit("payment_intent.canceled", canceled)
    return canceled


@operation("GET", "/v1/payment_intents")
def list_intents(context: Context, params: Json) -> Json:
    """List intents, newest first."""
    keep = Filter(customer=params.get("customer")).created(params.get("created"))
    return page(context, "payment_intent", params, url="/v1/payment_intents", keep=keep)


def add(context: Context, params: Json) -> Json:
    """Keep a new intent; the parameters were checked by the caller."""
    intent_id = new_id("pi")
    given = {name: params[name] for name in _COPIED if name in params}
    if "payment_method" in params:
        given |= _with_method(context, params["payment_method"])
    values: Json = {
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": automatic_payment_methods(params),
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{token(25)}",
        "confirmation_method": "automatic",
        "payment_method_options": _CARD_OPTIONS,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }
    return context.create(
        "payment_intent",
        event="payment_intent.created",
        id=intent_id,
        amount=params["amount"],
        currency=params["currency"].lower(),
        metadata=metadata(params.get("metadata")),
        **(values | given),
    )


_CARD_OPTIONS = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
}


def _with_method(context: Context, given: str) -> Json:
    method = payment_methods.resolve(context, given, param="payment_method")
    return {"payment_method": method["id"], "status": "requires_confirmation"}


def _confirm(context: Context, intent: Json, params: Json) -> Json:
    if intent["payment_method"] is None:
        raise _unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment"
            " method. You can either update the PaymentIntent with a payment method and"
            " then confirm it again, or confirm it again directly with a payment method"
            " or ConfirmationToken.",
            intent,
        )
    off_session = bool(params.get("off_session"))
    if not off_session:
        check_return_url(intent, params)
    authentication.note_return_url(context, intent, params)
    on_session = not off_session and not params.get("error_on_requires_action")
    return charging.attempt(context, intent, on_session=on_session)


def _check_confirmation_flags(params: Json) -> None:
    for name in ("off_session", "error_on_requires_action", "return_url"):
        if name in params and not params.get("confirm"):
            raise ApiError(
                f"The parameter `{name}` cannot be passed when creating a PaymentIntent"
                " unless `confirm` is set to true.",
                param=name,
            )


def _not_confirmable(intent: Json) -> str:
    if intent["status"] == "succeeded":
        return (
            "You cannot confirm this PaymentIntent because it has already succeeded"
            " after being previously confirmed."
        )
    return (
        "You cannot confirm this PaymentIntent because it has a status of"
        f" {intent['status']}."
    )


def _unexpected_state(message: str, intent: Json) -> ApiError:
    return ApiError(
        message, code="payment_intent_unexpected_state", payment_intent=intent
    )
