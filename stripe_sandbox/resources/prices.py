"""Prices, one-time and recurring, found by lookup key."""

from __future__ import annotations

from decimal import Decimal

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.resources.catalogue import add_product
from stripe_sandbox.resources.fields import metadata, updated

_LATER = ("currency_options", "custom_unit_amount", "tiers", "tiers_mode",
          "transform_quantity")  # fmt: skip


@operation("POST", "/v1/prices")
def create(context: Context, params: Json) -> Json:
    """Create a price of a product; `transfer_lookup_key` takes the key from another."""
    for name in _LATER:
        if name in params:
            raise not_in_the_sandbox(f"`{name}` on prices")
    if params.get("billing_scheme", "per_unit") != "per_unit":
        raise not_in_the_sandbox("`billing_scheme` tiered on prices")
    product_id = _product_of(context, params)
    recurring = params.get("recurring")
    _claim_lookup_key(context, params)
    return context.create(
        "price",
        event="price.created",
        active=params.get("active", True),
        billing_scheme="per_unit",
        currency=params["currency"].lower(),
        lookup_key=params.get("lookup_key"),
        metadata=metadata(params.get("metadata")),
        nickname=params.get("nickname"),
        product=product_id,
        recurring=_recurring(recurring) if recurring else None,
        tax_behavior=params.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
        **_unit_amount(params),
    )


@operation("GET", "/v1/prices/{price}")
def retrieve(context: Context, params: Json, price: str) -> Json:
    """Return a price."""
    return context.fetch("price", price)


@operation("POST", "/v1/prices/{price}")
def update(context: Context, params: Json, price: str) -> Json:
    """Change what may change on a price: its amount may not."""
    before = context.fetch("price", price)
    _claim_lookup_key(context, params, holder=price)
    values = updated(before, params, "active", "lookup_key", "nickname", "tax_behavior")
    return context.change(before, event="price.updated", **values)


@operation("GET", "/v1/prices")
def list_prices(context: Context, params: Json) -> Json:
    """List prices, newest first."""
    keep = Filter(
        active=params.get("active"),
        currency=params.get("currency"),
        product=params.get("product"),
        type=params.get("type"),
    )
    for name, value in params.get("recurring", {}).items():
        keep.where(f"json_extract(body, '$.recurring.{name}') = ?", value)
    keep.one_of("lookup_key", params.get("lookup_keys"))
    keep.created(params.get("created"))
    return page(context, "price", params, url="/v1/prices", keep=keep)


def _product_of(context: Context, params: Json) -> str:
    if "product_data" in params:
        product = add_product(context, params["product_data"])
    elif "product" in params:
        product = context.fetch("product", params["product"], param="product")
    else:
        raise ApiError(
            "You must specify either `product` or `product_data` when creating a"
            " price.",
            param="product",
        )
    return str(product["id"])


def _unit_amount(params: Json) -> Json:
    if "unit_amount" in params:
        amount: int = params["unit_amount"]
        if amount < 0:
            raise ApiError("Invalid non-negative integer", param="unit_amount")
        return {"unit_amount": amount, "unit_amount_decimal": str(amount)}
    if "unit_amount_decimal" in params:
        exact = Decimal(params["unit_amount_decimal"])
        whole = int(exact) if exact == exact.to_integral_value() else None
        return {"unit_amount": whole, "unit_amount_decimal": str(exact)}
    raise ApiError(
        "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
        code="parameter_missing",
        param="unit_amount",
    )


def _recurring(given: Json) -> Json:
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": given.get("meter"),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _claim_lookup_key(context: Context, params: Json, *, holder: str = "") -> None:
    key = params.get("lookup_key")
    for other in context.store.find("price", lookup_key=key) if key else []:
        if other["id"] == holder:
            continue
        if not params.get("transfer_lookup_key"):
            raise ApiError(
                f"A price (`{other['id']}`) already uses that lookup key.",
                param="lookup_key",
            )
        context.change(other, event="price.updated", lookup_key=None)
