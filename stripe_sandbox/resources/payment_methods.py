"""Cards as payment methods: made from test tokens or numbers, attached, detached."""

from __future__ import annotations

import hashlib

from stripe_sandbox.cards import Card, Decline, by_number, by_token
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import (
    ApiError,
    missing_parameter,
    missing_resource,
    not_in_the_sandbox,
)
from stripe_sandbox.resources.fields import (
    address,
    metadata,
    refuse_unsupported,
    updated,
)

_EXPIRY = (12, 2034)
_EXPIRY_PARTS = frozenset({"exp_month", "exp_year"})
_CARD = _EXPIRY_PARTS | {"cvc", "number", "token"}
_UPDATES = frozenset({"allow_redisplay", "billing_details", "card", "metadata"})
_CREATION = _UPDATES | {"type"}


@operation("POST", "/v1/payment_methods")
def create(context: Context, params: Json) -> Json:
    """Make a card from `card[token]` or a test card's number."""
    if params.get("type") != "card":
        raise not_in_the_sandbox("Another payment method type than `card`")
    refuse_unsupported("PaymentMethods", params, _CREATION)
    given = params.get("card")
    if not given:
        raise missing_parameter("card")
    refuse_unsupported("`card`", given, _CARD)
    return make(
        context,
        _card_of(given),
        expiry=(given.get("exp_month", _EXPIRY[0]), given.get("exp_year", _EXPIRY[1])),
        allow_redisplay=params.get("allow_redisplay", "unspecified"),
        billing_details=params.get("billing_details"),
        metadata_given=params.get("metadata"),
    )


@operation("GET", "/v1/payment_methods/{payment_method}")
def retrieve(context: Context, params: Json, payment_method: str) -> Json:
    """Return a payment method; a test literal such as `pm_card_visa` makes one."""
    return resolve(context, payment_method)


@operation("POST", "/v1/payment_methods/{payment_method}")
def update(context: Context, params: Json, payment_method: str) -> Json:
    """Change metadata, billing details or the date on which a card expires."""
    refuse_unsupported("PaymentMethods", params, _UPDATES)
    before = resolve(context, payment_method)
    values = updated(before, params, "allow_redisplay")
    if "billing_details" in params:
        given = _billing_details(params["billing_details"])
        kept = {name: value for name, value in given.items() if value is not None}
        values["billing_details"] = before["billing_details"] | kept
    if "card" in params:
        refuse_unsupported("`card`", params["card"], _EXPIRY_PARTS)
        values["card"] = before["card"] | params["card"]
    return context.change(before, event="payment_method.updated", **values)


@operation("GET", "/v1/payment_methods")
def list_payment_methods(context: Context, params: Json) -> Json:
    """List the payment methods of a customer."""
    keep = Filter(customer=params.get("customer"), type=params.get("type"))
    keep.where("json_extract(body, '$.customer') IS NOT NULL")
    return page(context, "payment_method", params, url="/v1/payment_methods", keep=keep)


@operation("POST", "/v1/payment_methods/{payment_method}/attach")
def attach(context: Context, params: Json, payment_method: str) -> Json:
    """Attach a card to a customer; cards that decline everything decline here too."""
    if "customer" not in params:
        raise missing_parameter("customer")
    method = resolve(context, payment_method)
    customer = context.fetch("customer", params["customer"], param="customer")
    return attach_to(context, method, customer["id"])


@operation("POST", "/v1/payment_methods/{payment_method}/detach")
def detach(context: Context, params: Json, payment_method: str) -> Json:
    """Detach a card; it can never be used again."""
    method = resolve(context, payment_method)
    if method["customer"] is None:
        raise ApiError(
            "The payment method you provided is not attached to a customer so"
            " detachment is impossible."
        )
    context.store.note(method["id"], detached=True)
    _forget_default(context, method)
    return context.change(method, event="payment_method.detached", customer=None)


def _forget_default(context: Context, method: Json) -> None:
    customer = context.fetch("customer", method["customer"])
    settings = customer["invoice_settings"]
    if settings["default_payment_method"] == method["id"]:
        kept = settings | {"default_payment_method": None}
        context.change(customer, event="customer.updated", invoice_settings=kept)


def resolve(context: Context, given: str, *, param: str = "") -> Json:
    """Return a payment method by id; `pm_card_*` and `tok_*` make a new one.

    Raises:
        ApiError: there is none.
    """
    if given.startswith(("pm_card_", "tok_")):
        card = by_token(given)
        if card is None:
            noun = "token" if given.startswith("tok_") else "PaymentMethod"
            raise missing_resource(noun, given, param=param or "id", status=400)
        return make(context, card)
    method = context.store.get(given)
    if method is None or method["object"] != "payment_method":
        status = 400 if param else 404
        name = param or "payment_method"
        raise missing_resource("PaymentMethod", given, param=name, status=status)
    return method


def make(
    context: Context,
    card: Card,
    *,
    expiry: tuple[int, int] = _EXPIRY,
    allow_redisplay: str = "unspecified",
    billing_details: Json | None = None,
    metadata_given: Json | None = None,
) -> Json:
    """Keep a new payment method of a test card."""
    return context.create(
        "payment_method",
        notes={"card": card.number},
        allow_redisplay=allow_redisplay,
        billing_details=_billing_details(billing_details or {}),
        card=_card(card, expiry),
        metadata=metadata(metadata_given),
        type="card",
    )


def attach_to(context: Context, method: Json, customer_id: str) -> Json:
    """Attach a payment method.

    Raises:
        ApiError: the card declines (402), or it is attached or was detached before.
    """
    if method["customer"] == customer_id:
        return method
    if method["customer"] or context.store.notes(method["id"]).get("detached"):
        raise _used_before()
    card = card_of(context, method)
    if card.decline and not card.attaches:
        raise declined(card.decline)
    return context.change(method, event="payment_method.attached", customer=customer_id)


def card_of(context: Context, method: Json) -> Card:
    """Return the test card behind a payment method."""
    card = by_number(context.store.notes(method["id"])["card"])
    assert isinstance(card, Card)  # noqa: S101 - only test cards are ever stored
    return card


def declined(decline: Decline, **details: object) -> ApiError:
    """Return the 402 of a decline; Stripe leaves out what the issuer did not say."""
    optional = {
        "decline_code": decline.decline_code,
        "advice_code": decline.advice_code,
        "network_decline_code": decline.network_decline_code,
    }
    stated = {name: value for name, value in optional.items() if value}
    return ApiError(
        decline.message,
        status=402,
        type="card_error",
        code=decline.code,
        param=decline.param,
        **stated,
        **details,
    )


def not_attached(payment_method: str, *, param: str) -> ApiError:
    """Refuse a card of somebody else."""
    return ApiError(
        f"The customer does not have a payment method with the ID {payment_method}. The"
        " payment method must be attached to the customer.",
        code="resource_missing",
        param=param,
    )


def _used_before() -> ApiError:
    return ApiError(
        "This PaymentMethod was previously used without being attached to a Customer or"
        " was detached from a Customer, and may not be used again."
    )


def _card_of(given: Json) -> Card:
    if "token" in given:
        card = by_token(given["token"])
        if card is None:
            raise missing_resource(
                "token", given["token"], param="card[token]", status=400
            )
        return card
    if "number" not in given:
        raise missing_parameter("card[number]")
    found = by_number(given["number"])
    if isinstance(found, Decline):
        raise declined(found)
    return found


def _billing_details(given: Json) -> Json:
    return {
        "address": address(given.get("address") or {"city": None}),
        "email": given.get("email") or None,
        "name": given.get("name") or None,
        "phone": given.get("phone") or None,
        "tax_id": given.get("tax_id") or None,
    }


def _card(card: Card, expiry: tuple[int, int]) -> Json:
    fingerprint = hashlib.sha256(card.number.encode()).hexdigest()[:16]
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": "american_express" if card.brand == "amex" else card.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
