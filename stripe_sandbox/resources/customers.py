"""Customers and their payment methods."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import token
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import missing_resource, not_in_the_sandbox
from stripe_sandbox.resources import payment_methods, test_clocks
from stripe_sandbox.resources.fields import (
    address,
    metadata,
    refuse_unsupported,
    updated,
)
from stripe_sandbox.subscribing import ending

_WRITABLE = ("balance", "description", "email", "name", "phone", "preferred_locales",
             "tax_exempt")  # fmt: skip
_SUPPORTED = frozenset({
    *_WRITABLE, "address", "invoice_settings", "metadata", "payment_method", "source",
})  # fmt: skip
_CREATION = _SUPPORTED | {"test_clock"}


@operation("POST", "/v1/customers")
def create(context: Context, params: Json) -> Json:
    """Create a customer; `payment_method` or `source` also attaches a card."""
    refuse_unsupported("Customers", params, _CREATION)
    params = _with_one_method(context, params)
    if "test_clock" in params:
        test_clocks.check_room(context, params["test_clock"])
        context = context.following(params)
    customer = context.create(
        "customer",
        event="customer.created",
        balance=params.get("balance", 0),
        address=address(params.get("address")),
        delinquent=False,
        description=params.get("description"),
        email=params.get("email"),
        invoice_prefix=token(8).upper(),
        invoice_settings=_invoice_settings(params.get("invoice_settings", {})),
        metadata=metadata(params.get("metadata")),
        name=params.get("name"),
        next_invoice_sequence=1,
        phone=params.get("phone"),
        preferred_locales=params.get("preferred_locales", []),
        tax_exempt=params.get("tax_exempt", "none"),
        test_clock=params.get("test_clock"),
    )
    return _with_card(context, customer, params)


@operation("GET", "/v1/customers/{customer}")
def retrieve(context: Context, params: Json, customer: str) -> Json:
    """Return a customer; a deleted one says only that."""
    return context.fetch("customer", customer)


@operation("POST", "/v1/customers/{customer}")
def update(context: Context, params: Json, customer: str) -> Json:
    """Change a customer."""
    refuse_unsupported("Customers", params, _SUPPORTED)
    params = _with_one_method(context, params)
    before = existing(context, customer)
    values = updated(before, params, *_WRITABLE)
    if "address" in params:
        values["address"] = address(params["address"])
    if "invoice_settings" in params:
        settings = before["invoice_settings"] | params["invoice_settings"]
        values["invoice_settings"] = _invoice_settings(settings)
        _check_default(context, customer, values["invoice_settings"])
    return _with_card(
        context,
        context.change(before, event="customer.updated", **values),
        params,
    )


@operation("DELETE", "/v1/customers/{customer}")
def delete(context: Context, params: Json, customer: str) -> Json:
    """Delete a customer and end what they subscribed to; the id stays known."""
    before = existing(context, customer)
    for subscription in context.store.find("subscription", customer=customer):
        if subscription["status"] not in ending.ENDED:
            ending.end(context.following(before), subscription, invoices=False)
    for method in context.store.find("payment_method", customer=customer):
        context.change(method, customer=None)
    gone = {"id": customer, "object": "customer", "deleted": True}
    context.emit("customer.deleted", before)
    context.store.replace(gone)
    return gone


@operation("GET", "/v1/customers")
def list_customers(context: Context, params: Json) -> Json:
    """List customers, newest first; `email` is compared as written."""
    keep = Filter(email=params.get("email")).created(params.get("created"))
    keep.where("json_extract(body, '$.deleted') IS NULL")
    return page(context, "customer", params, url="/v1/customers", keep=keep)


@operation("GET", "/v1/customers/{customer}/payment_methods")
def list_payment_methods(context: Context, params: Json, customer: str) -> Json:
    """List the cards attached to a customer."""
    existing(context, customer)
    if "allow_redisplay" in params:
        raise not_in_the_sandbox("`allow_redisplay` in the list of cards")
    return page(
        context,
        "payment_method",
        params,
        url=f"/v1/customers/{customer}/payment_methods",
        keep=Filter(customer=customer, type=params.get("type")),
    )


@operation("GET", "/v1/customers/{customer}/payment_methods/{payment_method}")
def retrieve_payment_method(
    context: Context, params: Json, customer: str, payment_method: str
) -> Json:
    """Return one card of a customer."""
    method = context.fetch("payment_method", payment_method)
    if method["customer"] != customer:
        raise missing_resource("payment_method", payment_method)
    return method


def existing(context: Context, customer_id: str, *, param: str = "") -> Json:
    """Return a customer that was not deleted.

    Raises:
        ApiError: there is none.
    """
    customer = context.fetch("customer", customer_id, param=param)
    if customer.get("deleted"):
        raise missing_resource("customer", customer_id)
    return customer


def _with_one_method(context: Context, params: Json) -> Json:
    """A test literal that is attached and made the default means one card, not two."""
    given = params.get("payment_method") or params.get("source")
    if not given:
        return params
    method = payment_methods.resolve(context, given, param="payment_method")
    named = params | {"payment_method": method["id"]}
    settings = params.get("invoice_settings", {})
    if settings.get("default_payment_method") == given:
        default = {"default_payment_method": method["id"]}
        named["invoice_settings"] = settings | default
    return named


def _with_card(context: Context, customer: Json, params: Json) -> Json:
    given = params.get("payment_method")
    if given:
        method = context.fetch("payment_method", given)
        payment_methods.attach_to(context, method, customer["id"])
    default = params.get("invoice_settings", {}).get("default_payment_method")
    if given and default:
        _check_default(context, customer["id"], customer["invoice_settings"])
    return customer


def _check_default(context: Context, customer_id: str, settings: Json) -> None:
    default = settings["default_payment_method"]
    if default is None:
        return
    method = context.fetch("payment_method", default, param="invoice_settings")
    if method["customer"] != customer_id:
        raise payment_methods.not_attached(
            default, param="invoice_settings[default_payment_method]"
        )


def _invoice_settings(given: Json) -> Json:
    names = ("custom_fields", "default_payment_method", "footer", "rendering_options")
    return {name: given.get(name) or None for name in names}
