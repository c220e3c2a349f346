"""What PaymentIntents and SetupIntents share."""

from __future__ import annotations

from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError


def automatic_payment_methods(params: Json) -> Json | None:
    """Return the setting of a new intent; a list of its own takes its place."""
    if "allowed_payment_method_types" in params:
        return None
    given: Json | None = params.get("automatic_payment_methods", {})
    if given is None:  # an invoice pays by what it has on file
        return None
    return {"allow_redirects": "always", "enabled": True} | given


def check_return_url(intent: Json, params: Json) -> None:
    """Ask for a `return_url` where a payment method might redirect the customer.

    Raises:
        ApiError: it is missing.
    """
    automatic = intent["automatic_payment_methods"]
    if automatic is None or automatic["allow_redirects"] == "never":
        return
    if "return_url" not in params:
        noun = (
            "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        )
        raise ApiError(
            f"This {noun} is configured to accept payment methods enabled in your"
            " Dashboard. Because some of these payment methods might redirect your"
            " customer off of your page, you must provide a `return_url`. If you don't"
            " want to accept redirect-based payment methods, set"
            " `automatic_payment_methods[enabled]` to `true` and"
            " `automatic_payment_methods[allow_redirects]` to `never` when creating"
            " Setup Intents and Payment Intents."
        )
