"""Subscription items: each change of one is an update of its subscription."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import list_of
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import missing_resource
from stripe_sandbox.resources import subscriptions
from stripe_sandbox.subscribing import items as subscription_items

_OF_SUBSCRIPTION = frozenset({"off_session", "payment_behavior", "proration_behavior",
                              "proration_date"})  # fmt: skip
_HOLDS = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') WHERE"
    " json_extract(value, '$.id') = ?)"
)


@operation("POST", "/v1/subscription_items")
def create(context: Context, params: Json) -> Json:
    """Add an item to a subscription."""
    subscription_id = params.pop("subscription")
    before = context.fetch("subscription", subscription_id, param="subscription")
    known = {item["id"] for item in subscription_items.of(before)}
    after = _update(context, subscription_id, params)
    [added] = [i for i in subscription_items.of(after) if i["id"] not in known]
    return added


@operation("GET", "/v1/subscription_items/{item}")
def retrieve(context: Context, params: Json, item: str) -> Json:
    """Return an item."""
    return _item(_subscription_with(context, item), item)


@operation("POST", "/v1/subscription_items/{item}")
def update(context: Context, params: Json, item: str) -> Json:
    """Change the price or quantity of an item."""
    subscription = _subscription_with(context, item)
    after = _update(context, subscription["id"], params | {"id": item})
    return _item(after, item)


@operation("DELETE", "/v1/subscription_items/{item}")
def delete(context: Context, params: Json, item: str) -> Json:
    """Remove an item from its subscription."""
    subscription = _subscription_with(context, item)
    _update(context, subscription["id"], params | {"id": item, "deleted": True})
    return {"id": item, "object": "subscription_item", "deleted": True}


@operation("GET", "/v1/subscription_items")
def list_items(context: Context, params: Json) -> Json:
    """List the items of a subscription."""
    subscription = context.fetch(
        "subscription", params["subscription"], param="subscription"
    )
    return list_of(subscription_items.of(subscription), url="/v1/subscription_items")


def _update(context: Context, subscription_id: str, params: Json) -> Json:
    whole = {name: params[name] for name in params.keys() & _OF_SUBSCRIPTION}
    item = {name: params[name] for name in params.keys() - _OF_SUBSCRIPTION}
    return subscriptions.update(context, whole | {"items": [item]}, subscription_id)


def _subscription_with(context: Context, item_id: str) -> Json:
    holding = context.store.select("subscription", [_HOLDS], [item_id], tail="")
    if not holding:
        raise missing_resource("subscription_item", item_id, param="item")
    return holding[0]


def _item(subscription: Json, item_id: str) -> Json:
    [found] = [i for i in subscription_items.of(subscription) if i["id"] == item_id]
    return found
