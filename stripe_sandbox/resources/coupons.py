"""Coupons."""

from __future__ import annotations

from decimal import Decimal

from stripe_sandbox import discounting
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.expansion import included
from stripe_sandbox.engine.ids import token
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter
from stripe_sandbox.resources.fields import metadata, refuse_unsupported, updated

_SUPPORTED = frozenset({
    "amount_off", "applies_to", "currency", "duration", "duration_in_months", "id",
    "max_redemptions", "metadata", "name", "percent_off", "redeem_by",
})  # fmt: skip


@operation("POST", "/v1/coupons")
def create(context: Context, params: Json) -> Json:
    """Create a coupon, under an id of one's own if `id` is given."""
    refuse_unsupported("Coupons", params, _SUPPORTED)
    _check(context, params)
    percent = Decimal(params["percent_off"]) if "percent_off" in params else None
    coupon = context.create(
        "coupon",
        event="coupon.created",
        # As notes they outlive the coupon: who has redeemed it keeps it.
        notes={
            "amount_off": params.get("amount_off"),
            "duration": params.get("duration", "once"),
            "duration_in_months": params.get("duration_in_months"),
            "percent_off": params.get("percent_off"),
            "products": params.get("applies_to", {}).get("products"),
        },
        id=params.get("id", token(8)),
        amount_off=params.get("amount_off"),
        currency=params["currency"].lower() if "amount_off" in params else None,
        duration=params.get("duration", "once"),
        duration_in_months=params.get("duration_in_months"),
        max_redemptions=params.get("max_redemptions"),
        metadata=metadata(params.get("metadata")),
        name=params.get("name"),
        percent_off=None if percent is None else _number(percent),
        redeem_by=params.get("redeem_by"),
        times_redeemed=0,
        valid=True,
    )
    return _current(context, coupon)


@operation("GET", "/v1/coupons/{coupon}")
def retrieve(context: Context, params: Json, coupon: str) -> Json:
    """Return a coupon."""
    return _current(context, context.fetch("coupon", coupon))


@operation("POST", "/v1/coupons/{coupon}")
def update(context: Context, params: Json, coupon: str) -> Json:
    """Change what may change on a coupon: what it takes off may not."""
    refuse_unsupported("Coupons", params, frozenset({"metadata", "name"}))
    before = context.fetch("coupon", coupon)
    values = updated(before, params, "name")
    return _current(context, context.change(before, event="coupon.updated", **values))


@operation("DELETE", "/v1/coupons/{coupon}")
def delete(context: Context, params: Json, coupon: str) -> Json:
    """Delete a coupon; who has it keeps it."""
    before = context.fetch("coupon", coupon)
    gone = {"id": coupon, "object": "coupon", "deleted": True}
    context.emit("coupon.deleted", before)
    context.store.replace(gone)
    return gone


@operation("GET", "/v1/coupons")
def list_coupons(context: Context, params: Json) -> Json:
    """List coupons, newest first."""
    keep = Filter().created(params.get("created"))
    keep.where("json_extract(body, '$.deleted') IS NULL")
    found = page(context, "coupon", params, url="/v1/coupons", keep=keep)
    return found | {"data": [_current(context, each) for each in found["data"]]}


@included("coupon", "applies_to")
def applies_to(context: Context, coupon: Json) -> Json:
    """Return the products that a coupon is for."""
    return {"products": context.store.notes(coupon["id"]).get("products") or []}


def _current(context: Context, coupon: Json) -> Json:
    if coupon.get("deleted"):
        return coupon
    return coupon | {"valid": discounting.is_valid(context, coupon)}


def _check(context: Context, params: Json) -> None:
    if ("percent_off" in params) == ("amount_off" in params):
        raise ApiError(
            "You must pass exactly one of `percent_off` or `amount_off`.",
            param="percent_off",
        )
    if "amount_off" in params and "currency" not in params:
        raise missing_parameter("currency")
    if not 0 < Decimal(params.get("percent_off", "100")) <= 100:
        raise ApiError(
            "Invalid decimal: must be greater than 0 and at most 100.",
            param="percent_off",
        )
    repeats = params.get("duration") == "repeating"
    if repeats != ("duration_in_months" in params):
        raise ApiError(
            "`duration_in_months` must be set if, and only if, `duration` is"
            " `repeating`.",
            param="duration_in_months",
        )
    if "id" in params and context.store.get(params["id"]):
        raise ApiError(
            "Coupon already exists.", code="resource_already_exists", param="id"
        )


def _number(percent: Decimal) -> int | float:
    """A percentage as JSON has it: 25 or 12.5."""
    whole = int(percent)
    return whole if percent == whole else float(percent)
