"""An attempt to pay a PaymentIntent: it succeeds, is declined, or asks for 3DS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stripe_sandbox import authentication
from stripe_sandbox.cards import AUTHENTICATION_REQUIRED, Decline
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import charges, payment_methods

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication. You can provide"
    " payment_method_data or a new PaymentMethod to attempt to fulfill this"
    " PaymentIntent again.",
)


def attempt(
    context: Context,
    intent: Json,
    *,
    on_session: bool,
    authenticated: bool = False,
) -> Json:
    """Charge the intent's card; without the customer at hand, 3DS is a decline.

    Raises:
        ApiError: the card was declined (402); the failed charge is kept.
    """
    method = context.fetch("payment_method", intent["payment_method"])
    _check_owner(context, intent, method)
    card = payment_methods.card_of(context, method)
    if not authenticated and authentication.is_wanted(context, card, method):
        if on_session:
            return ask_for_authentication(context, intent)
        raise decline(context, intent, method, AUTHENTICATION_REQUIRED)
    if card.decline:
        raise decline(context, intent, method, card.decline)
    return _succeed(context, intent, method, authenticated=authenticated)


@contextmanager
def all_or_failed_charge(context: Context) -> Iterator[None]:
    """Run alone, all or nothing; but a charge that fails the whole remains."""
    left: list[tuple[str, Json]] = []
    try:
        with context.store.transaction():
            try:
                yield
            except ApiError as declined:
                left = _left_by(context, declined)
                raise
    finally:
        for _, body in left:
            context.store.put(body)
        for event, body in left:
            context.emit(event, body)


def ask_for_authentication(context: Context, intent: Json) -> Json:
    """Leave the intent waiting for the customer's 3DS challenge."""
    return context.change(
        intent,
        event="payment_intent.requires_action",
        status="requires_action",
        next_action=authentication.next_action(context, intent),
    )


def fail_authentication(context: Context, intent: Json) -> ApiError:
    """Record that the customer did not pass the challenge, and return the 402."""
    method = context.fetch("payment_method", intent["payment_method"])
    error = payment_methods.declined(AUTHENTICATION_FAILED, payment_method=method)
    error.fields["payment_intent"] = _failed(
        context, intent, error, latest_charge=intent["latest_charge"]
    )
    return error


def decline(context: Context, intent: Json, method: Json, reason: Decline) -> ApiError:
    """Keep the failed charge and the reason on the intent, and return the 402."""
    charge = charges.fail(context, intent, method, reason)
    error = payment_methods.declined(reason, charge=charge["id"], payment_method=method)
    error.fields["payment_intent"] = _failed(
        context, intent, error, latest_charge=charge["id"]
    )
    return error


def _left_by(context: Context, declined: ApiError) -> list[tuple[str, Json]]:
    """What remains of a decline, with the events that tell of it."""
    if "charge" not in declined.fields:
        return []
    charge = context.fetch("charge", declined.fields["charge"])
    intent = context.fetch("payment_intent", charge["payment_intent"])
    return [("charge.failed", charge), ("payment_intent.payment_failed", intent)]


def _failed(
    context: Context, intent: Json, error: ApiError, *, latest_charge: str | None
) -> Json:
    failed = context.change(
        intent,
        last_payment_error=dict(sorted(error.fields.items())),
        latest_charge=latest_charge,
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )
    context.emit("payment_intent.payment_failed", failed)
    return failed


def _succeed(
    context: Context, intent: Json, method: Json, *, authenticated: bool
) -> Json:
    if intent["setup_future_usage"] and intent["customer"]:
        method = payment_methods.attach_to(context, method, intent["customer"])
    context.store.note(method["id"], used=True)
    if authenticated:
        context.store.note(method["id"], authenticated=True)
    charge = charges.succeed(context, intent, method)
    paid = context.change(
        intent,
        amount_received=intent["amount"],
        last_payment_error=None,
        latest_charge=charge["id"],
        next_action=None,
        status="succeeded",
    )
    context.emit("payment_intent.succeeded", paid)
    return paid


def _check_owner(context: Context, intent: Json, method: Json) -> None:
    owner, notes = method["customer"], context.store.notes(method["id"])
    if owner and owner != intent["customer"]:
        raise _foreign(intent, method)
    if owner is None and (notes.get("detached") or notes.get("used")):
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent"
            " without Customer attachment, shared with a connected account without"
            " Customer attachment, or was detached from a Customer. It may not be used"
            " again. To use a PaymentMethod multiple times, you must attach it to a"
            " Customer first."
        )


def _foreign(intent: Json, method: Json) -> ApiError:
    if intent["customer"]:
        return payment_methods.not_attached(method["id"], param="payment_method")
    return ApiError(
        f"The payment method supplied ({method['id']}) belongs to a Customer. Please"
        " include the Customer in the `customer` parameter on the PaymentIntent.",
        param="payment_method",
    )
