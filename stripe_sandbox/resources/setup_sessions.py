"""What is special about a Checkout Session in mode `setup`."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources import setup_intents
from stripe_sandbox.resources.fields import refuse_unsupported

PARAMETERS = frozenset({"currency", "setup_intent_data"})
_NOT_HERE = ("line_items", "payment_intent_data", "subscription_data",
             "invoice_creation")  # fmt: skip
_INTENT_DATA = frozenset({"description", "metadata"})


def check(params: Json) -> None:
    """Refuse what does not go with the mode.

    Raises:
        ApiError: a parameter of another mode, or no currency to choose methods by.
    """
    for name in _NOT_HERE:
        if name in params:
            raise ApiError(
                f"You can not pass `{name}` in `setup` mode.",
                code="parameter_invalid",
                param=name,
            )
    if "currency" not in params and "allowed_payment_method_types" not in params:
        raise missing_parameter("currency")
    refuse_unsupported(
        "`setup_intent_data`", params.get("setup_intent_data", {}), _INTENT_DATA
    )


def refuse_elsewhere(params: Json) -> None:
    """Refuse in the other modes what belongs to this one.

    Raises:
        ApiError: `setup_intent_data`, or a currency, which the prices decide there.
    """
    if "setup_intent_data" in params:
        raise ApiError(
            f"You can not pass `setup_intent_data` in `{params['mode']}` mode.",
            code="parameter_invalid",
            param="setup_intent_data",
        )
    if "currency" in params:
        raise not_in_the_sandbox(f"`currency` in mode `{params['mode']}`")


def opened(context: Context, params: Json) -> Json:
    """Return the fields of a new session; its SetupIntent exists from the start."""
    wanted = dict(params.get("setup_intent_data", {}))
    for name in ("customer", "allowed_payment_method_types"):
        if name in params:
            wanted[name] = params[name]
    intent = setup_intents.add(context, wanted)
    return {
        "adaptive_pricing": None,
        "amount_subtotal": None,
        "amount_total": None,
        "currency": params.get("currency"),
        "discounts": None,
        "invoice_creation": None,
        "payment_method_collection": "always",
        "payment_status": "no_payment_required",
        "setup_intent": intent["id"],
        "total_details": None,
    }
