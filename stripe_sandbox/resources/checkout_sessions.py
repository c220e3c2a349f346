"""Checkout Sessions."""

from __future__ import annotations

from copy import deepcopy
from urllib.parse import urlsplit

from stripe_sandbox import discounting
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.expansion import included
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.listing import Filter, list_of, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources import (
    line_items,
    setup_intents,
    setup_sessions,
    subscription_sessions,
)
from stripe_sandbox.resources.checkout_defaults import DEFAULTS
from stripe_sandbox.resources.fields import (
    CARD_MINIMUM_CENTS,
    dollars,
    metadata,
    refuse_unsupported,
    updated,
)

_COPIED = ("allowed_payment_method_types", "cancel_url", "client_reference_id",
           "customer", "customer_email", "locale", "success_url")  # fmt: skip
_SUPPORTED = frozenset({
    *_COPIED, "allow_promotion_codes", "automatic_tax", "customer_creation",
    "customer_update", "discounts", "expires_at", "invoice_creation", "line_items",
    "metadata", "mode", "payment_intent_data", "phone_number_collection",
    "tax_id_collection", "ui_mode",
    *setup_sessions.PARAMETERS, *subscription_sessions.PARAMETERS,
})  # fmt: skip
_INTENT_DATA = frozenset({
    "description", "metadata", "receipt_email", "setup_future_usage",
    "statement_descriptor", "statement_descriptor_suffix",
})  # fmt: skip
_SWITCHES = ("automatic_tax", "invoice_creation", "phone_number_collection",
             "tax_id_collection")  # fmt: skip
_LIFE_S_MIN, _LIFE_S_MAX = 1800, 86_400


@operation("POST", "/v1/checkout/sessions")
def create(context: Context, params: Json) -> Json:
    """Open a hosted payment page."""
    _check(context, params)
    session_id = new_id("cs_test")
    opened = _OPENED_IN[params["mode"]](context, session_id, params)
    given = {name: params[name] for name in _COPIED if name in params}
    session = context.create(
        "checkout.session",
        id=session_id,
        notes={
            "customer_update": params.get("customer_update", {}),
            "payment_intent_data": params.get("payment_intent_data", {}),
            "subscription_data": params.get("subscription_data", {}),
        },
        allow_promotion_codes=params.get("allow_promotion_codes"),
        customer_creation=_customer_creation(params),
        customer_details=_known_customer(context, params),
        expires_at=params.get("expires_at", context.now + _LIFE_S_MAX),
        metadata=metadata(params.get("metadata")),
        mode=params["mode"],
        status="open",
        url=f"{context.base_url}/c/pay/{session_id}",
        **(deepcopy(DEFAULTS) | opened | given),
    )
    context.schedule("expire_session", session_id, due_at=session["expires_at"])
    return session


@operation("GET", "/v1/checkout/sessions/{session}")
def retrieve(context: Context, params: Json, session: str) -> Json:
    """Return a session."""
    return context.fetch("checkout.session", session)


@operation("POST", "/v1/checkout/sessions/{session}")
def update(context: Context, params: Json, session: str) -> Json:
    """Change the metadata of a session."""
    refuse_unsupported("Checkout Sessions", params, frozenset({"metadata"}))
    before = context.fetch("checkout.session", session)
    return context.change(before, **updated(before, params))


@operation("POST", "/v1/checkout/sessions/{session}/expire")
def expire(context: Context, params: Json, session: str) -> Json:
    """Close an open session."""
    before = context.fetch("checkout.session", session)
    if before["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This'
            f" Checkout Session has a status of `{before['status']}`.",
            param="session",
        )
    return _expire(context, before)


@operation("GET", "/v1/checkout/sessions/{session}/line_items")
def list_line_items(context: Context, params: Json, session: str) -> Json:
    """List what is being bought, as the buyer last left it."""
    context.fetch("checkout.session", session)
    url = f"/v1/checkout/sessions/{session}/line_items"
    return page(context, "item", params, url=url, keep=line_items.in_session(session))


@operation("GET", "/v1/checkout/sessions")
def list_sessions(context: Context, params: Json) -> Json:
    """List sessions, newest first."""
    if "payment_link" in params:
        raise not_in_the_sandbox("`payment_link` in the list of Checkout Sessions")
    keep = Filter(
        customer=params.get("customer"),
        payment_intent=params.get("payment_intent"),
        status=params.get("status"),
        subscription=params.get("subscription"),
    ).created(params.get("created"))
    if "customer_details" in params:
        email = params["customer_details"]["email"]
        keep.where("json_extract(body, '$.customer_details.email') = ?", email)
    url = "/v1/checkout/sessions"
    return page(context, "checkout.session", params, url=url, keep=keep)


@included("checkout.session", "line_items")
def line_items_of(context: Context, session: Json) -> Json:
    """Return the line items of a session."""
    return list_of(
        line_items.of(context, session["id"]),
        url=f"/v1/checkout/sessions/{session['id']}/line_items",
    )


@task("expire_session")
def expire_if_open(context: Context, session_id: str) -> None:
    """Expire a session that nobody finished in time."""
    session = context.fetch("checkout.session", session_id)
    if session["status"] == "open":
        _expire(context, session)


def _for_payment(context: Context, session_id: str, params: Json) -> Json:
    items = line_items.add(context, session_id, params["line_items"])
    currency = items[0]["currency"]
    discount = discounting.of_session(context, params, currency=currency)
    totals = line_items.totals(line_items.discounted(context, items, discount))
    _check_total(totals)
    return totals | {
        "currency": currency,
        "discounts": [discount] if discount else [],
        "payment_status": "unpaid",
    }


def _for_setup(context: Context, _session_id: str, params: Json) -> Json:
    return setup_sessions.opened(context, params)


_OPENED_IN = {
    "payment": _for_payment,
    "setup": _for_setup,
    "subscription": subscription_sessions.opened,
}


def _expire(context: Context, session: Json) -> Json:
    if session["setup_intent"]:
        setup_intents.cancel(context, {}, session["setup_intent"])
    expired = context.change(session, status="expired", url=None)
    context.emit("checkout.session.expired", expired)
    return expired


def _check(context: Context, params: Json) -> None:
    refuse_unsupported("Checkout Sessions", params, _SUPPORTED)
    for name in _SWITCHES:
        if params.get(name, {}).get("enabled"):
            raise not_in_the_sandbox(f"`{name}` on Checkout Sessions")
    refuse_unsupported(
        "`payment_intent_data`", params.get("payment_intent_data", {}), _INTENT_DATA
    )
    _check_mode(params)
    _check_urls(params)
    _check_customer(context, params)
    _check_expiry(context, params)


def _check_mode(params: Json) -> None:
    if "mode" not in params:
        raise missing_parameter("mode")
    if params["mode"] not in _OPENED_IN:
        raise not_in_the_sandbox(f"Mode `{params['mode']}` of Checkout Sessions")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_in_the_sandbox(f"`ui_mode` {params['ui_mode']}")
    allowed = params.get("allowed_payment_method_types", ["card"])
    if "card" not in allowed:
        raise not_in_the_sandbox("A Checkout Session without cards")
    _check_what_goes_with_the_mode(params)


def _check_what_goes_with_the_mode(params: Json) -> None:
    _check_discounts(params)
    if params["mode"] == "subscription":
        subscription_sessions.check(params)
    else:
        subscription_sessions.refuse_elsewhere(params)
    if params["mode"] == "setup":
        setup_sessions.check(params)
    else:
        setup_sessions.refuse_elsewhere(params)
        if not params.get("line_items"):
            raise missing_parameter("line_items")


def _check_discounts(params: Json) -> None:
    named = [each for each in ("allow_promotion_codes", "discounts") if each in params]
    if len(named) > 1:
        raise ApiError(
            "You may only specify one of these parameters: allow_promotion_codes,"
            " discounts.",
            param="allow_promotion_codes",
        )
    if named and params["mode"] == "setup":
        raise ApiError(
            f"You can not pass `{named[0]}` in `setup` mode.", param=named[0]
        )


def _check_urls(params: Json) -> None:
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        parts = urlsplit(params.get(name, "http://x"))
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ApiError("Not a valid URL", code="url_invalid", param=name)


def _check_customer(context: Context, params: Json) -> None:
    if "customer" not in params:
        if "customer_update" in params:
            raise ApiError(
                "`customer_update` can only be used with `customer`.",
                param="customer_update",
            )
        return
    context.fetch("customer", params["customer"], param="customer")
    for other in ("customer_email", "customer_creation"):
        if other in params:
            raise ApiError(
                f"You may only specify one of these parameters: customer, {other}.",
                param="customer",
            )


def _check_expiry(context: Context, params: Json) -> None:
    life_s = params.get("expires_at", context.now + _LIFE_S_MAX) - context.now
    if life_s < _LIFE_S_MIN:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout"
            " Session creation.",
            param="expires_at",
        )
    if life_s > _LIFE_S_MAX:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout"
            " Session creation.",
            param="expires_at",
        )


def _check_total(totals: Json) -> None:
    if totals["amount_total"] < CARD_MINIMUM_CENTS:
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least"
            f" {dollars(CARD_MINIMUM_CENTS)} usd",
            code="amount_too_small",
        )


def _customer_creation(params: Json) -> str | None:
    if "customer" in params:
        return None
    if params["mode"] == "subscription":
        return "always"
    return str(params.get("customer_creation", "if_required"))


def _known_customer(context: Context, params: Json) -> Json | None:
    """Before payment, `customer_details` holds the e-mail that is already known."""
    email = params.get("customer_email")
    if "customer" in params:
        email = context.fetch("customer", params["customer"])["email"]
    return customer_details(email=email) if email else None


def customer_details(*, email: str | None, **known: object) -> Json:
    """Return the buyer's details with all their fields."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    } | known
