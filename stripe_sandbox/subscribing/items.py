"""Subscription items: what is subscribed to, in which quantity, for which period."""

from __future__ import annotations

from stripe_sandbox.contract.objects import fill
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_resource, not_in_the_sandbox
from stripe_sandbox.resources import prices
from stripe_sandbox.resources.fields import metadata, refuse_unsupported
from stripe_sandbox.subscribing.calendar import boundary_after, boundary_before

_SUPPORTED = frozenset({"deleted", "id", "metadata", "price", "price_data", "quantity"})
_ITEMS_MAX = 20
Period = tuple[int, int]


def added(context: Context, subscription_id: str, given: list[Json]) -> list[Json]:
    """Return the items of a new subscription; their period is still to be set.

    Raises:
        ApiError: a price is unknown, inactive, one-time, or does not fit the others.
    """
    items = [
        _new(context, subscription_id, each, f"items[{position}]")
        for position, each in enumerate(given)
    ]
    _check_together(items)
    return items


def merged(context: Context, subscription: Json, given: list[Json]) -> list[Json]:
    """Return the items after an update: an id replaces, no id adds.

    Raises:
        ApiError: as `added`; or an id is not among the subscription's items.
    """
    kept = {item["id"]: item for item in of(subscription)}
    for position, each in enumerate(given):
        name = f"items[{position}]"
        if "id" not in each:
            item = _new(context, subscription["id"], each, name)
            kept[item["id"]] = item
        elif each["id"] not in kept:
            raise missing_resource("subscription_item", each["id"], status=400)
        elif each.get("deleted"):
            del kept[each["id"]]
        else:
            kept[each["id"]] = _changed(context, kept[each["id"]], each, name)
    _check_together(list(kept.values()))
    return list(kept.values())


def of(subscription: Json) -> list[Json]:
    """Return the items of a subscription."""
    items: list[Json] = subscription["items"]["data"]
    return items


def listed(items: list[Json], subscription_id: str) -> Json:
    """Return the list of items that a subscription carries."""
    return {
        "object": "list",
        "data": items,
        "has_more": False,
        "total_count": len(items),
        "url": f"/v1/subscription_items?subscription={subscription_id}",
    }


def in_period(items: list[Json], period: Period) -> list[Json]:
    """Return the items with their current period, in Unix seconds, end excluded."""
    start, end = period
    return [
        item | {"current_period_end": end, "current_period_start": start}
        for item in items
    ]


def period_of(subscription: Json) -> Period:
    """Return the current period; all items of the sandbox share it."""
    item = of(subscription)[0]
    return item["current_period_start"], item["current_period_end"]


def natural_end(subscription: Json) -> int:
    """Return where the current period ends if nothing ends it sooner."""
    if subscription["status"] == "trialing":
        trial_end: int = subscription["trial_end"]
        return trial_end
    start, _ = period_of(subscription)
    recurring = recurring_of(of(subscription))
    return boundary_after(subscription["billing_cycle_anchor"], recurring, start)


def held(subscription: Json, end: int) -> int:
    """Return the end of a period, or the end of the subscription if that is sooner."""
    at: int | None = subscription["cancel_at"]
    if at is None or subscription["cancel_at_period_end"]:
        return end
    return min(at, end)


def cycle_s(anchor: int, items: list[Json]) -> int:
    """Return the length of the whole cycle that the items' period is in."""
    recurring, end = recurring_of(items), items[0]["current_period_end"]
    whole_from = boundary_before(anchor, recurring, end)
    return boundary_after(anchor, recurring, end - 1) - whole_from


def recurring_of(items: list[Json]) -> Json:
    """Return the interval that all items share."""
    recurring: Json = items[0]["price"]["recurring"]
    return recurring


def amount_of(item: Json) -> int:
    """Return what a full period of an item costs, in cents."""
    amount: int = item["price"]["unit_amount"] * item["quantity"]
    return amount


def _new(context: Context, subscription_id: str, given: Json, name: str) -> Json:
    refuse_unsupported("subscription items", given, _SUPPORTED)
    price = _price(context, given, name)
    values = {
        "id": new_id("si"),
        "created": context.now,
        "current_period_end": context.now,
        "current_period_start": context.now,
        "discounts": [],
        "metadata": metadata(given.get("metadata")),
        "plan": _plan(price),
        "price": price,
        "quantity": given.get("quantity", 1),
        "subscription": subscription_id,
        "tax_rates": [],
    }
    return fill("subscription_item", values)


def _changed(context: Context, item: Json, given: Json, name: str) -> Json:
    refuse_unsupported("subscription items", given, _SUPPORTED)
    price = item["price"]
    if "price" in given or "price_data" in given:
        price = _price(context, given, name)
    return item | {
        "metadata": metadata(given.get("metadata"), item["metadata"]),
        "plan": _plan(price),
        "price": price,
        "quantity": given.get("quantity", item["quantity"]),
    }


def _price(context: Context, given: Json, name: str) -> Json:
    if "price_data" in given:
        price = prices.create(context, given["price_data"] | {"active": False})
    elif "price" in given:
        price = context.fetch("price", given["price"], param=f"{name}[price]")
    else:
        raise ApiError(
            "You must provide one of `price` or `price_data` for each item.",
            code="parameter_missing",
            param=f"{name}[price]",
        )
    _check_price(price, given, name)
    return price


def _check_price(price: Json, given: Json, name: str) -> None:
    if price["type"] != "recurring":
        raise ApiError(
            "The price specified is set to `type=one_time` but this field only accepts"
            " prices with `type=recurring`.",
            param=f"{name}[price]",
        )
    if not price["active"] and "price" in given:
        raise ApiError(
            "The price specified is inactive. This field only accepts active prices.",
            param=f"{name}[price]",
        )
    if price["recurring"]["usage_type"] != "licensed":
        raise not_in_the_sandbox("A metered price on subscriptions")
    if price["unit_amount"] is None:
        raise not_in_the_sandbox("A price in fractions of a cent on subscriptions")


def _check_together(items: list[Json]) -> None:
    if not items:
        raise ApiError(
            "A subscription must have at least one active plan. To cancel it, use the"
            " cancel endpoint instead.",
            param="items",
        )
    if len(items) > _ITEMS_MAX:
        raise ApiError(
            f"Subscriptions can have at most {_ITEMS_MAX} items.", param="items"
        )
    if len({item["price"]["currency"] for item in items}) > 1:
        raise ApiError("All prices on a subscription must have the same `currency`.")
    intervals = {
        (item["price"]["recurring"]["interval"],
         item["price"]["recurring"]["interval_count"])
        for item in items
    }  # fmt: skip
    if len(intervals) > 1:
        raise not_in_the_sandbox("A subscription whose items differ in their interval")


def _plan(price: Json) -> Json:
    """The older shape of a price, which items still carry beside it."""
    recurring = price["recurring"]
    values = {
        "id": price["id"],
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "metadata": price["metadata"],
        "nickname": price["nickname"],
        "product": price["product"],
        "usage_type": recurring["usage_type"],
    }
    return fill("plan", values)
