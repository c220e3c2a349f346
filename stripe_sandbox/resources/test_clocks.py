"""Test clocks: customers whose time stands still until it is moved.

Source: https://docs.stripe.com/billing/testing/test-clocks
"""

from __future__ import annotations

from stripe_sandbox.engine.agenda import run_until, task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_resource, not_in_the_sandbox
from stripe_sandbox.subscribing import ending
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing.calendar import DAY_S, boundary

_CUSTOMERS_MAX = 3
_INTERVALS_MAX = 2
_LIFE_S = 30 * DAY_S
_TWO_YEARS = {"interval": "year", "interval_count": 2}
_READY = {"advancing": None}


@operation("POST", "/v1/test_helpers/test_clocks")
def create(context: Context, params: Json) -> Json:
    """Create a clock; customers are put on it when they are made."""
    if "customer" in params:
        raise not_in_the_sandbox("`customer` on test clocks")
    return context.create(
        "test_helpers.test_clock",
        event="test_helpers.test_clock.created",
        deletes_after=context.now + _LIFE_S,
        frozen_time=params["frozen_time"],
        name=params.get("name"),
        status="ready",
        status_details=_READY,
    )


@operation("GET", "/v1/test_helpers/test_clocks/{test_clock}")
def retrieve(context: Context, params: Json, test_clock: str) -> Json:
    """Return a clock."""
    return _existing(context, test_clock)


@operation("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance")
def advance(context: Context, params: Json, test_clock: str) -> Json:
    """Begin to move a clock: it is `ready` again a moment later."""
    before = _existing(context, test_clock)
    target = params["frozen_time"]
    _check_target(context, before, target)
    advancing = context.change(
        before,
        status="advancing",
        status_details={"advancing": {"target_frozen_time": target}},
    )
    context.emit("test_helpers.test_clock.advancing", advancing)
    context.schedule("advance_test_clock", test_clock, due_at=context.now)
    return advancing


@operation("DELETE", "/v1/test_helpers/test_clocks/{test_clock}")
def delete(context: Context, params: Json, test_clock: str) -> Json:
    """Delete a clock with its customers and what they subscribed to."""
    before = _existing(context, test_clock)
    for kind in ("subscription", "customer"):
        for body in context.store.find(kind, test_clock=test_clock):
            gone = {"id": body["id"], "object": kind, "deleted": True}
            context.store.replace(gone)
    context.store.sql("DELETE FROM agenda WHERE test_clock = ?", test_clock)
    context.emit("test_helpers.test_clock.deleted", before)
    gone = {"id": test_clock, "object": before["object"], "deleted": True}
    context.store.replace(gone)
    return gone


@operation("GET", "/v1/test_helpers/test_clocks")
def list_clocks(context: Context, params: Json) -> Json:
    """List clocks, newest first."""
    keep = Filter().where("json_extract(body, '$.deleted') IS NULL")
    url = "/v1/test_helpers/test_clocks"
    return page(context, "test_helpers.test_clock", params, url=url, keep=keep)


@task("advance_test_clock")
def finish_advancing(context: Context, clock_id: str) -> None:
    """Do all that is due on a clock, each at its own time, and make it ready."""
    clock = context.fetch("test_helpers.test_clock", clock_id)
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    run_until(context.following({"test_clock": clock_id}), target)
    ready = context.change(
        clock, frozen_time=target, status="ready", status_details=_READY
    )
    context.emit("test_helpers.test_clock.ready", ready)


def check_room(context: Context, clock_id: str) -> None:
    """Refuse a fourth customer on a clock.

    Raises:
        ApiError: there is no such clock, or it has three customers.
    """
    context.fetch("test_helpers.test_clock", clock_id, param="test_clock")
    if len(context.store.find("customer", test_clock=clock_id)) >= _CUSTOMERS_MAX:
        raise ApiError(
            f"Test clocks can have at most {_CUSTOMERS_MAX} customers.",
            param="test_clock",
        )


def _existing(context: Context, clock_id: str) -> Json:
    clock = context.fetch("test_helpers.test_clock", clock_id)
    if clock.get("deleted"):
        raise missing_resource("test clock", clock_id)
    return clock


def _check_target(context: Context, clock: Json, target: int) -> None:
    if clock["status"] != "ready":
        raise ApiError(
            "Test clock advancement underway - cannot advance a test clock that is not"
            " ready.",
            status=429,
            code="test_clock_advancing",
        )
    if target <= clock["frozen_time"]:
        raise ApiError(
            "The time to advance the test clock must be after its current frozen time.",
            param="frozen_time",
        )
    if target > _farthest(context, clock):
        raise ApiError(
            "You can advance a test clock by at most two intervals of the shortest"
            " subscription on it.",
            param="frozen_time",
        )


def _farthest(context: Context, clock: Json) -> int:
    now = clock["frozen_time"]
    live = [
        subscription_items.recurring_of(subscription_items.of(subscription))
        for subscription in context.store.find("subscription", test_clock=clock["id"])
        if subscription["status"] not in ending.ENDED
    ]
    if not live:
        return boundary(now, _TWO_YEARS, 1)
    return min(boundary(now, recurring, _INTERVALS_MAX) for recurring in live)
