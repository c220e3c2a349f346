"""An attempt to save a card by a SetupIntent: it succeeds, is declined or wants 3DS."""

from __future__ import annotations

from stripe_sandbox import authentication
from stripe_sandbox.cards import Decline
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import payment_methods

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_AUTHENTICATION_FAILED = Decline(
    "setup_intent_authentication_failure",
    "The latest attempt to set up the payment method has failed because authentication"
    " failed.",
)


def attempt(context: Context, intent: Json, *, authenticated: bool = False) -> Json:
    """Check the intent's card with its bank, and attach it to the intent's customer.

    Raises:
        ApiError: the card was declined (402); the reason stays on the intent.
    """
    method = context.fetch("payment_method", intent["payment_method"])
    card = payment_methods.card_of(context, method)
    if not authenticated and authentication.is_wanted(context, card, method):
        return _ask_for_authentication(context, intent)
    if card.decline and not card.attaches:
        raise _fail(context, intent, method, card.decline)
    if intent["customer"]:
        method = payment_methods.attach_to(context, method, intent["customer"])
    if authenticated:
        context.store.note(method["id"], authenticated=True)
    return _succeed(context, intent)


def fail_authentication(context: Context, intent: Json) -> ApiError:
    """Record that the customer did not pass the challenge, and return the 402."""
    method = context.fetch("payment_method", intent["payment_method"])
    return _fail(context, intent, method, _AUTHENTICATION_FAILED)


def _ask_for_authentication(context: Context, intent: Json) -> Json:
    asked = context.change(
        intent,
        latest_attempt=_log(context, intent, status="requires_action"),
        next_action=authentication.next_action(context, intent),
        status="requires_action",
    )
    context.emit("setup_intent.requires_action", asked)
    return asked


def _succeed(context: Context, intent: Json) -> Json:
    saved = context.change(
        intent,
        last_setup_error=None,
        latest_attempt=_log(context, intent, status="succeeded"),
        next_action=None,
        status="succeeded",
    )
    context.emit("setup_intent.succeeded", saved)
    return saved


def _fail(context: Context, intent: Json, method: Json, reason: Decline) -> ApiError:
    error = payment_methods.declined(reason, payment_method=method)
    error_fields = dict(sorted(error.fields.items()))
    failed = context.change(
        intent,
        last_setup_error=error_fields,
        latest_attempt=_log(context, intent, status="failed", error=error_fields),
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )
    context.emit("setup_intent.setup_failed", failed)
    error.fields["setup_intent"] = failed
    return error


def _log(
    context: Context, intent: Json, *, status: str, error: Json | None = None
) -> str:
    logged = context.create(
        "setup_attempt",
        customer=intent["customer"],
        payment_method=intent["payment_method"],
        payment_method_details={"card": {"three_d_secure": None}, "type": "card"},
        setup_error=error,
        setup_intent=intent["id"],
        status=status,
        usage=intent["usage"],
    )
    return str(logged["id"])
