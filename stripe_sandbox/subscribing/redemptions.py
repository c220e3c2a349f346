"""Coupons redeemed for a subscription: how its discounts begin and end.

Source: https://docs.stripe.com/billing/subscriptions/coupons
"""

from __future__ import annotations

from stripe_sandbox import discounting
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import missing_resource
from stripe_sandbox.subscribing.calendar import boundary


def replaced(
    context: Context, subscription: Json, given: list[Json] | str
) -> list[str]:
    """Return the ids of a subscription's discounts after an update names them anew.

    Raises:
        ApiError: one is unknown, or cannot be redeemed.
    """
    ids = [
        _named(context, subscription, each, f"discounts[{position}]")
        for position, each in enumerate(given or [])
        if isinstance(each, dict)
    ]
    _tell_end(context, [each for each in subscription["discounts"] if each not in ids])
    return ids


def outlasting(context: Context, subscription: Json, invoice: Json) -> list[str]:
    """Return the ids of the discounts that go on after an invoice.

    One that is for `once` ends with the first invoice that it lowers.
    """
    lowering = {
        amount["discount"]
        for line in invoice["lines"]["data"]
        for amount in line["discount_amounts"]
    }
    used_up = [
        each
        for each in subscription["discounts"]
        if each in lowering and _terms(context, each)["duration"] == "once"
    ]
    _tell_end(context, used_up)
    return [each for each in subscription["discounts"] if each not in used_up]


@task("end_discount")
def end_when_due(context: Context, discount_id: str) -> None:
    """Take a discount off its subscription when its months are over."""
    discount = context.fetch("discount", discount_id)
    subscription = context.fetch("subscription", discount["subscription"])
    left = [each for each in subscription["discounts"] if each != discount_id]
    if left != subscription["discounts"]:
        _tell_end(context, [discount_id])
        context.change(
            subscription, event="customer.subscription.updated", discounts=left
        )


def _named(context: Context, subscription: Json, given: Json, param: str) -> str:
    if "discount" not in given:
        return _redeemed(context, subscription, given, param)
    if given["discount"] not in subscription["discounts"]:
        name = f"{param}[discount]"
        raise missing_resource("discount", given["discount"], param=name, status=400)
    return str(given["discount"])


def _redeemed(context: Context, subscription: Json, given: Json, param: str) -> str:
    redeemed = discounting.redeemable(
        context,
        given,
        currency=subscription["currency"],
        customer=subscription["customer"],
        param=param,
    )
    months = context.store.notes(redeemed["coupon"])["duration_in_months"]
    every = {"interval": "month", "interval_count": months}
    end = boundary(context.now, every, 1) if months else None
    discount = context.create(
        "discount",
        customer=subscription["customer"],
        end=end,
        promotion_code=redeemed["promotion_code"],
        source={"coupon": redeemed["coupon"], "type": "coupon"},
        start=context.now,
        subscription=subscription["id"],
    )
    discounting.redeem(context, redeemed)
    context.emit("customer.discount.created", discount)
    if end:
        context.schedule("end_discount", discount["id"], due_at=end)
    return str(discount["id"])


def _tell_end(context: Context, ids: list[str]) -> None:
    for each in ids:
        context.emit("customer.discount.deleted", context.fetch("discount", each))


def _terms(context: Context, discount_id: str) -> Json:
    discount = context.fetch("discount", discount_id)
    return context.store.notes(discount["source"]["coupon"])
