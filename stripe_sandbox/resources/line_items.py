"""What a Checkout Session sells. The buyer may change the adjustable quantities."""

from __future__ import annotations

from stripe_sandbox import discounting
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.resources import prices
from stripe_sandbox.resources.fields import metadata

_QUANTITY_MAX = 99


def add(
    context: Context, session_id: str, given: list[Json], *, recurring: bool = False
) -> list[Json]:
    """Keep the line items of a new session, which subscribes to them if `recurring`.

    Raises:
        ApiError: a price is inactive or of the other type, or a quantity is missing
            or out of its bounds.
    """
    priced = [
        (line, _price_of(context, line, f"line_items[{position}]"), position)
        for position, line in enumerate(given)
    ]
    for _, price, position in priced:
        _check_type(price, f"line_items[{position}]", recurring=recurring)
    # Lists are read newest first, and Stripe lists line items as they were given.
    return [
        _add(context, session_id, line, price, f"line_items[{position}]")
        for line, price, position in reversed(priced)
    ][::-1]


def in_session(session_id: str) -> Filter:
    """Return the filter for the line items of a session."""
    return Filter().where("json_extract(notes, '$.session') = ?", session_id)


def of(context: Context, session_id: str) -> list[Json]:
    """Return the line items of a session, in the order they were given."""
    keep = in_session(session_id)
    return context.store.select(
        "item", keep.conditions, keep.values, tail="ORDER BY seq DESC"
    )


def totals(items: list[Json]) -> Json:
    """Return the amounts of a session with these items."""
    return {
        "amount_subtotal": sum(item["amount_subtotal"] for item in items),
        "amount_total": sum(item["amount_total"] for item in items),
        "total_details": {
            "amount_discount": sum(item["amount_discount"] for item in items),
            "amount_shipping": 0,
            "amount_tax": 0,
        },
    }


def discounted(
    context: Context, items: list[Json], discount: Json | None
) -> list[Json]:
    """Take off what the coupon of a session says, and return the items."""
    parts = [(item["amount_subtotal"], item["price"]["product"]) for item in items]
    coupons = [discount["coupon"]] if discount else []
    amounts = discounting.after_each(context, coupons, parts)
    return [
        context.change(
            item, amount_discount=so_far[0] - so_far[-1], amount_total=so_far[-1]
        )
        for item, so_far in zip(items, amounts, strict=True)
    ]


def change_quantity(context: Context, item: Json, quantity: int) -> Json:
    """Set the quantity that the buyer chose, held within its bounds."""
    bounds = item["adjustable_quantity"]
    if not (bounds and bounds["enabled"]):
        return item
    held = max(bounds["minimum"], min(quantity, bounds["maximum"]))
    return context.change(item, **_amounts(item["price"], held))


def _price_of(context: Context, line: Json, name: str) -> Json:
    if "price_data" in line:
        price = prices.create(context, line["price_data"] | {"active": False})
    elif "price" in line:
        price = context.fetch("price", line["price"], param=f"{name}[price]")
    else:
        raise ApiError(
            f"You must specify either `price` or `price_data` in `{name}`.",
            code="parameter_missing",
            param=f"{name}[price]",
        )
    if not price["active"] and "price" in line:
        raise ApiError(
            "The price specified is inactive. This field only accepts active prices.",
            param=f"{name}[price]",
        )
    return price


def _check_type(price: Json, name: str, *, recurring: bool) -> None:
    if price["type"] == "recurring" and not recurring:
        raise ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch"
            " to `subscription` mode or use only one-time prices.",
            param=name,
        )
    if price["type"] == "one_time" and recurring:
        raise not_in_the_sandbox("A one-time price in mode `subscription`")


def _add(context: Context, session_id: str, line: Json, price: Json, name: str) -> Json:
    if "quantity" not in line:
        raise ApiError(
            f"Quantity is required. Add `quantity` to `{name}`",
            code="parameter_missing",
            param=f"{name}[quantity]",
        )
    adjustable = _adjustable(line.get("adjustable_quantity"))
    _check_quantity(line["quantity"], adjustable, name)
    return context.create(
        "item",
        notes={"session": session_id},
        adjustable_quantity=adjustable,
        amount_discount=0,
        amount_tax=0,
        currency=price["currency"],
        description=context.fetch("product", price["product"])["name"],
        metadata=metadata(line.get("metadata")),
        price=price,
        **_amounts(price, line["quantity"]),
    )


def _adjustable(given: Json | None) -> Json | None:
    if not (given and given["enabled"]):
        return None
    return {
        "enabled": True,
        "maximum": given.get("maximum", _QUANTITY_MAX),
        "minimum": given.get("minimum", 0),
    }


def _check_quantity(quantity: int, bounds: Json | None, name: str) -> None:
    low, high = (bounds["minimum"], bounds["maximum"]) if bounds else (1, 999_999)
    if not low <= quantity <= high:
        raise ApiError(
            f"The quantity {quantity} must be between {low} and {high}.",
            param=f"{name}[quantity]",
        )


def _amounts(price: Json, quantity: int) -> Json:
    amount = price["unit_amount"] * quantity
    return {"amount_subtotal": amount, "amount_total": amount, "quantity": quantity}
