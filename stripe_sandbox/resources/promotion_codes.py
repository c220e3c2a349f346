"""Promotion codes: what customers type to redeem a coupon."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import token
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources.fields import metadata, refuse_unsupported, updated

_SUPPORTED = frozenset({
    "active", "code", "customer", "expires_at", "max_redemptions", "metadata",
    "promotion",
})  # fmt: skip
_UNRESTRICTED = {
    "first_time_transaction": False,
    "minimum_amount": None,
    "minimum_amount_currency": None,
}


@operation("POST", "/v1/promotion_codes")
def create(context: Context, params: Json) -> Json:
    """Create a code for a coupon, made up if none is given."""
    refuse_unsupported("Promotion codes", params, _SUPPORTED)
    if "coupon" not in params["promotion"]:
        raise missing_parameter("promotion[coupon]")
    name = "promotion[coupon]"
    coupon = context.fetch("coupon", params["promotion"]["coupon"], param=name)
    if "customer" in params:
        context.fetch("customer", params["customer"], param="customer")
    code = params.get("code", token(8).upper())
    _check_free(context, code)
    return context.create(
        "promotion_code",
        event="promotion_code.created",
        active=params.get("active", True),
        code=code,
        customer=params.get("customer"),
        expires_at=params.get("expires_at"),
        max_redemptions=params.get("max_redemptions"),
        metadata=metadata(params.get("metadata")),
        promotion={"coupon": coupon["id"], "type": "coupon"},
        restrictions=_UNRESTRICTED,
        times_redeemed=0,
    )


@operation("GET", "/v1/promotion_codes/{promotion_code}")
def retrieve(context: Context, params: Json, promotion_code: str) -> Json:
    """Return a promotion code."""
    return context.fetch("promotion_code", promotion_code)


@operation("POST", "/v1/promotion_codes/{promotion_code}")
def update(context: Context, params: Json, promotion_code: str) -> Json:
    """Switch a code on or off, or change its metadata."""
    refuse_unsupported("Promotion codes", params, frozenset({"active", "metadata"}))
    before = context.fetch("promotion_code", promotion_code)
    if params.get("active") and not before["active"]:
        _check_free(context, before["code"])
    values = updated(before, params, "active")
    return context.change(before, event="promotion_code.updated", **values)


@operation("GET", "/v1/promotion_codes")
def list_codes(context: Context, params: Json) -> Json:
    """List promotion codes, newest first; a code is compared without its case."""
    if "customer_account" in params:
        raise not_in_the_sandbox("`customer_account` in the list of promotion codes")
    keep = Filter(active=params.get("active"), customer=params.get("customer"))
    keep.created(params.get("created"))
    if "code" in params:
        keep.where("lower(json_extract(body, '$.code')) = lower(?)", params["code"])
    if "coupon" in params:
        keep.where("json_extract(body, '$.promotion.coupon') = ?", params["coupon"])
    return page(context, "promotion_code", params, url="/v1/promotion_codes", keep=keep)


def _check_free(context: Context, code: str) -> None:
    for other in context.store.find("promotion_code", active=True):
        if other["code"].lower() == code.lower():
            raise ApiError(
                f"An active promotion code with `code: {code}` already exists.",
                code="resource_already_exists",
                param="code",
            )
