"""The event log."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.outbox import pending_webhooks
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json

_UNDELIVERED = (
    "EXISTS (SELECT 1 FROM deliveries WHERE event_id = objects.id"
    " AND state <> 'succeeded')"
)


@operation("GET", "/v1/events/{id}")
def retrieve(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Return an event."""
    return _current(context, context.fetch("event", id))


@operation("GET", "/v1/events")
def list_events(context: Context, params: Json) -> Json:
    """List events, newest first; `delivery_success=false` finds what was missed."""
    keep = Filter().created(params.get("created"))
    _by_type(keep, params)
    if "delivery_success" in params:
        success = params["delivery_success"]
        keep.where(f"NOT {_UNDELIVERED}" if success else _UNDELIVERED)
    found = page(context, "event", params, url="/v1/events", keep=keep)
    return found | {"data": [_current(context, event) for event in found["data"]]}


def _by_type(keep: Filter, params: Json) -> None:
    wanted = params.get("types", [])
    wanted = wanted or ([params["type"]] if "type" in params else [])
    if wanted:
        # `type` may end in a wildcard: "charge.*".
        likely = " OR ".join("json_extract(body, '$.type') GLOB ?" for _ in wanted)
        keep.where(f"({likely})", *wanted)


def _current(context: Context, event: Json) -> Json:
    return event | {"pending_webhooks": pending_webhooks(context.store, event["id"])}
