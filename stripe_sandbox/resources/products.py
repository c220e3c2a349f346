"""Products."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import not_in_the_sandbox
from stripe_sandbox.resources import prices
from stripe_sandbox.resources.catalogue import (
    PRODUCT_FIELDS,
    PRODUCT_UPDATES,
    add_product,
)
from stripe_sandbox.resources.fields import refuse_unsupported, updated


@operation("POST", "/v1/products")
def create(context: Context, params: Json) -> Json:
    """Create a product, and its default price from `default_price_data`."""
    product = add_product(context, params)
    given = params.get("default_price_data")
    if given is None:
        return product
    price = prices.create(context, given | {"product": product["id"]})
    return context.change(product, event="product.updated", default_price=price["id"])


@operation("GET", "/v1/products/{id}")
def retrieve(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Return a product."""
    return context.fetch("product", id)


@operation("POST", "/v1/products/{id}")
def update(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Change a product."""
    refuse_unsupported("Products", params, PRODUCT_UPDATES)
    product = context.fetch("product", id)
    if "default_price" in params:
        context.fetch("price", params["default_price"], param="default_price")
    values = updated(product, params, "default_price", *PRODUCT_FIELDS)
    return context.change(
        product, event="product.updated", **values, updated=context.now
    )


@operation("GET", "/v1/products")
def list_products(context: Context, params: Json) -> Json:
    """List products, newest first."""
    for name in ("shippable", "type"):
        if name in params:
            raise not_in_the_sandbox(f"`{name}` in the list of products")
    keep = Filter(active=params.get("active"), url=params.get("url"))
    keep.one_of("id", params.get("ids")).created(params.get("created"))
    return page(context, "product", params, url="/v1/products", keep=keep)
