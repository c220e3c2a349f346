"""Adding a product, which products and prices (`product_data`) both do."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources.fields import metadata, refuse_unsupported

PRODUCT_FIELDS = ("active", "description", "images", "marketing_features", "name",
                  "shippable", "statement_descriptor", "tax_code", "unit_label",
                  "url")  # fmt: skip
PRODUCT_UPDATES = frozenset({*PRODUCT_FIELDS, "default_price", "metadata"})
_SUPPORTED = frozenset({*PRODUCT_FIELDS, "default_price_data", "id", "metadata"})


def add_product(context: Context, params: Json) -> Json:
    """Create a product, under an id of one's own if `id` is given.

    Raises:
        ApiError: the id is taken.
    """
    refuse_unsupported("Products", params, _SUPPORTED)
    if "id" in params and context.store.get(params["id"]):
        raise ApiError(
            "Product already exists. Try creating a new product with a different id or"
            f" updating the existing product: {params['id']}",
            code="resource_already_exists",
            param="id",
        )
    given = {name: params[name] for name in ("id", *PRODUCT_FIELDS) if name in params}
    values: Json = {"active": True, "updated": context.now, "type": "service"} | given
    return context.create(
        "product",
        event="product.created",
        metadata=metadata(params.get("metadata")),
        **values,
    )
