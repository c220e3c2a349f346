"""What a coupon takes off: who may redeem it, and how it spreads over several lines."""

from __future__ import annotations

from fractions import Fraction

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError

Part = tuple[int, str | None]
"""Cents, and the product that they are for."""


def of_session(context: Context, params: Json, *, currency: str) -> Json | None:
    """Return what the `discounts` of a new Checkout Session redeem, if anything.

    Raises:
        ApiError: there are several, or as `redeemable`.
    """
    given = params.get("discounts", [])
    if len(given) > 1:
        raise ApiError("You may only specify one discount.", param="discounts")
    if not given:
        return None
    return redeemable(
        context, given[0], currency=currency, customer=params.get("customer")
    )


def promotion_code(context: Context, typed: str) -> Json:
    """Return the active promotion code that a buyer means, whatever its case.

    Raises:
        ApiError: there is none.
    """
    for code in context.store.find("promotion_code", active=True):
        if code["code"].lower() == typed.lower():
            return code
    raise ApiError("This code is invalid.", param="promotion_code")


def redeemable(
    context: Context,
    named: Json,
    *,
    currency: str,
    customer: str | None,
    param: str = "discounts[0]",
) -> Json:
    """Return the coupon and the promotion code that one of `discounts` names.

    Raises:
        ApiError: one is unknown, or cannot be redeemed.
    """
    code = None
    if "promotion_code" in named:
        name = f"{param}[promotion_code]"
        code = context.fetch("promotion_code", named["promotion_code"], param=name)
        _check_code(context, code, customer, name)
        named = {"coupon": code["promotion"]["coupon"]}
    name = f"{param}[coupon]"
    coupon = context.fetch("coupon", named.get("coupon", ""), param=name)
    _check_coupon(context, coupon, currency, name)
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


def after_each(
    context: Context, coupon_ids: list[str], parts: list[Part]
) -> list[list[int]]:
    """Return for each part its cents at first, and after each of the coupons.

    A percentage is rounded part by part, half a cent up; an amount is shared out in
    proportion, and what rounding leaves goes to the first parts.
    """
    amounts = [[cents] for cents, _ in parts]
    for coupon_id in coupon_ids:
        terms = context.store.notes(coupon_id)
        products = terms["products"]
        eligible = [
            so_far[-1] if products is None or product in products else 0
            for so_far, (_, product) in zip(amounts, parts, strict=True)
        ]
        for so_far, off in zip(amounts, _taken_off(terms, eligible), strict=True):
            so_far.append(so_far[-1] - off)
    return amounts


def _taken_off(terms: Json, amounts: list[int]) -> list[int]:
    if terms["amount_off"] is None:
        percent = Fraction(terms["percent_off"])
        return [int(amount * percent / 100 + Fraction(1, 2)) for amount in amounts]
    return _shared(min(terms["amount_off"], sum(amounts)), amounts)


def _shared(off: int, amounts: list[int]) -> list[int]:
    total = sum(amounts)
    shares = [off * amount // total if total else 0 for amount in amounts]
    costing = [position for position, amount in enumerate(amounts) if amount]
    for position in costing[: off - sum(shares)]:
        shares[position] += 1
    return shares


def _check_coupon(context: Context, coupon: Json, currency: str, param: str) -> None:
    if not is_valid(context, coupon):
        raise ApiError(
            f"Coupon {coupon['id']} is expired and cannot be applied.",
            code="coupon_expired",
            param=param,
        )
    if coupon["currency"] not in (None, currency):
        raise ApiError(
            f"The coupon {coupon['id']} is in {coupon['currency']}, which is not the"
            f" currency of the prices ({currency}).",
            param=param,
        )


def _check_code(context: Context, code: Json, customer: str | None, param: str) -> None:
    most, until = code["max_redemptions"], code["expires_at"]
    used_up = most is not None and code["times_redeemed"] >= most
    over = until is not None and context.now >= until
    if not code["active"] or used_up or over:
        raise ApiError(
            "This promotion code cannot be redeemed because it is not active.",
            param=param,
        )
    if code["customer"] not in (None, customer):
        raise ApiError(
            "This promotion code cannot be redeemed because it belongs to another"
            " customer.",
            param=param,
        )
