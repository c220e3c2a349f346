"""What a coupon takes off: who may redeem it, and how it spreads over several lines."""

from __future__ import annotations

from fractions import Fraction

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox


def redeemable(
    context: Context, given: list[Json], *, currency: str, customer: str | None
) -> Json | None:
    """Return the coupon and the promotion code that `discounts` names, if any.

    Raises:
        ApiError: there are several, one is unknown, or it cannot be redeemed.
    """
    if not given:
        return None
    if len(given) > 1:
        raise not_in_the_sandbox("More than one of `discounts`")
    [named] = given
    code = None
    if "promotion_code" in named:
        name = "discounts[0][promotion_code]"
        code = context.fetch("promotion_code", named["promotion_code"], param=name)
        _check_code(context, code, customer)
        named = {"coupon": code["promotion"]["coupon"]}
    name = "discounts[0][coupon]"
    coupon = context.fetch("coupon", named.get("coupon", ""), param=name)
    _check_coupon(context, coupon, currency)
    return {"coupon": coupon["id"], "promotion_code": code and code["id"]}


def redeem(context: Context, discount: Json) -> None:
    """Count a use of a coupon and of its promotion code."""
    for kind in ("coupon", "promotion_code"):
        if body := context.store.get(discount[kind] or ""):
            used = body["times_redeemed"] + 1
            context.change(body, event=f"{kind}.updated", times_redeemed=used)


def is_valid(context: Context, coupon: Json) -> bool:
    """Whether a coupon can still be redeemed."""
    most, until = coupon["max_redemptions"], coupon["redeem_by"]
    used_up = most is not None and coupon["times_redeemed"] >= most
    return not used_up and (until is None or context.now < until)


def taken_off(context: Context, coupon_id: str, lines: list[Json]) -> list[int]:
    """Return the cents off each line item, in their order.

    A percentage is rounded line by line, half a cent up; an amount is shared out in
    proportion, and what rounding leaves goes to the first lines.
    """
    coupon = context.fetch("coupon", coupon_id)
    products = context.store.notes(coupon_id).get("products")
    amounts = [
        line["amount_subtotal"]
        if products is None or line["price"]["product"] in products
        else 0
        for line in lines
    ]
    if coupon["amount_off"] is None:
        percent = Fraction(str(coupon["percent_off"]))
        return [int(amount * percent / 100 + Fraction(1, 2)) for amount in amounts]
    return _shared(min(coupon["amount_off"], sum(amounts)), amounts)


def _shared(off: int, amounts: list[int]) -> list[int]:
    total = sum(amounts)
    shares = [off * amount // total if total else 0 for amount in amounts]
    for position in range(off - sum(shares)):
        shares[position] += 1
    return shares


def _check_coupon(context: Context, coupon: Json, currency: str) -> None:
    if not is_valid(context, coupon):
        raise ApiError(
            f"Coupon {coupon['id']} is expired and cannot be applied.",
            code="coupon_expired",
            param="discounts[0][coupon]",
        )
    if coupon["currency"] not in (None, currency):
        raise ApiError(
            f"The coupon {coupon['id']} is in {coupon['currency']}, which is not the"
            f" currency of the prices ({currency}).",
            param="discounts[0][coupon]",
        )


def _check_code(context: Context, code: Json, customer: str | None) -> None:
    most, until = code["max_redemptions"], code["expires_at"]
    used_up = most is not None and code["times_redeemed"] >= most
    over = until is not None and context.now >= until
    if not code["active"] or used_up or over:
        raise ApiError(
            "This promotion code cannot be redeemed because it is not active.",
            param="discounts[0][promotion_code]",
        )
    if code["customer"] not in (None, customer):
        raise ApiError(
            "This promotion code cannot be redeemed because it belongs to another"
            " customer.",
            param="discounts[0][promotion_code]",
        )
