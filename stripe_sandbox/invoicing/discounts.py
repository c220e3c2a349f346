"""What the discounts of a subscription take off its invoices and its prorations.

Source: https://docs.stripe.com/billing/subscriptions/prorations#prorations-and-discounts
"""

from __future__ import annotations

from itertools import pairwise

from stripe_sandbox import discounting
from stripe_sandbox.discounting import Part
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json


def active(context: Context, subscription: Json | None) -> list[str]:
    """Return the ids of the discounts that a subscription has at the moment."""
    ids: list[str] = subscription["discounts"] if subscription else []
    ends = {each: context.fetch("discount", each)["end"] for each in ids}
    return [each for each in ids if ends[each] is None or context.now < ends[each]]


def on_lines(context: Context, lines: list[Json], ids: list[str]) -> list[Json]:
    """Return an invoice's lines with what the discounts take off them.

    Those of prorations are net already: they stay as they are.
    """
    amounts = after_each(context, ids, [_part(line) for line in lines])
    return [
        line | _taken_off(ids, so_far) if line["discountable"] else line
        for line, so_far in zip(lines, amounts, strict=True)
    ]


def after_each(context: Context, ids: list[str], parts: list[Part]) -> list[list[int]]:
    """Return for each part its cents at first, and after each of the discounts."""
    found = [context.fetch("discount", each) for each in ids]
    coupons = [each["source"]["coupon"] for each in found]
    return discounting.after_each(context, coupons, parts)


def amounts_of(ids: list[str], so_far: list[int]) -> list[Json]:
    """Return the cents of each discount, of those that take any."""
    return [
        {"amount": before - after, "discount": discount}
        for discount, (before, after) in zip(ids, pairwise(so_far), strict=True)
        if before != after
    ]


def totals(lines: list[Json]) -> list[Json]:
    """Return the cents of each discount across all lines."""
    off: dict[str, int] = {}
    for line in lines:
        for each in line["discount_amounts"]:
            off[each["discount"]] = off.get(each["discount"], 0) + each["amount"]
    return [{"amount": cents, "discount": each} for each, cents in off.items()]


def pretax(amounts: list[Json]) -> list[Json]:
    """Return discount amounts as Stripe lists them among all credits before tax."""
    return [each | {"type": "discount"} for each in amounts]


def net_of(line: Json) -> int:
    """Return what a line costs after its discounts, in cents."""
    off: int = sum(each["amount"] for each in line["discount_amounts"])
    amount: int = line["amount"]
    return amount - off


def _part(line: Json) -> Part:
    """Credits and prorations are not lowered."""
    cents = max(line["amount"], 0) if line["discountable"] else 0
    details = (line["pricing"] or {}).get("price_details") or {}
    return cents, details.get("product")


def _taken_off(ids: list[str], so_far: list[int]) -> Json:
    amounts = amounts_of(ids, so_far)
    return {"discount_amounts": amounts, "pretax_credit_amounts": pretax(amounts)}
