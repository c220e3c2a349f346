"""Credits for unused time and debits for remaining time, to the second.

In flexible billing mode a credit goes by what was really debited for the item, not by
its present price. What was debited is kept in the subscription's notes.

Source: https://docs.stripe.com/billing/subscriptions/prorations
"""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import discounts
from stripe_sandbox.invoicing.lines import (
    on_day,
    pricing,
    product_name,
    prorated,
    several,
)
from stripe_sandbox.subscribing import items as subscription_items


def credits_for(
    context: Context, subscription: Json, item: Json, at: int
) -> list[Json]:
    """Return the values of the credits for what was debited beyond a moment."""
    return [
        _credit(context, subscription, item["id"], debit, max(at, debit["start"]))
        for debit in _debits(context, subscription["id"]).get(item["id"], [])
        if debit["end"] > at
    ]


def debits(context: Context, subscription: Json, items: list[Json]) -> list[Json]:
    """Return the values of the debits for what is left of the items' periods.

    Each is a share of what a full period costs after the discounts, so that an amount
    off is shared by items and by time.
    """
    ids = discounts.active(context, subscription)
    parts = [
        (subscription_items.amount_of(item), item["price"]["product"]) for item in items
    ]
    amounts = discounts.after_each(context, ids, parts)
    found = [
        _debit(context, subscription, item, ids, full)
        for item, full in zip(items, amounts, strict=True)
    ]
    return [each for each in found if each["amount"] > 0]


def _debit(
    context: Context, subscription: Json, item: Json, ids: list[str], full: list[int]
) -> Json:
    at, end = item["current_period_start"], item["current_period_end"]
    whole_s = subscription_items.cycle_s(subscription["billing_cycle_anchor"], [item])
    so_far = [prorated(cents, part_s=end - at, whole_s=whole_s) for cents in full]
    name = several(product_name(context, item["price"]), item["quantity"])
    return _values(
        subscription,
        item["id"],
        amount=so_far[-1],
        description=f"Remaining time on {name} after {on_day(at)}",
        period={"end": end, "start": at},
        price=item["price"],
        quantity=item["quantity"],
        taken_off=discounts.amounts_of(ids, so_far),
    )


def remember_lines(context: Context, subscription_id: str, invoice: Json) -> None:
    """Keep what the lines of an invoice debit, and give back, for the items."""
    for line in invoice["lines"]["data"]:
        details = line["parent"]["subscription_item_details"]
        if details:
            reference = {
                "invoice_line_item_details": {
                    "invoice": invoice["id"],
                    "invoice_line_items": [line["id"]],
                },
                "type": "invoice_line_items",
            }
            item_id = details["subscription_item"]
            net = line | {"amount": discounts.net_of(line)}
            _remember(context, subscription_id, item_id, net, reference)


def remember_items(
    context: Context, subscription_id: str, invoice_items: list[Json]
) -> None:
    """Keep what prorations debit, and give back, before they are on an invoice."""
    for item in invoice_items:
        reference = {"invoice_item": item["id"], "type": "invoice_item"}
        item_id = item["parent"]["subscription_details"]["subscription_item"]
        _remember(context, subscription_id, item_id, item, reference)


def _remember(
    context: Context, subscription_id: str, item_id: str, of: Json, reference: Json
) -> None:
    """A debit is added; a credit takes from the debits what is beyond its start."""
    start, end = of["period"]["start"], of["period"]["end"]
    debits = _debits(context, subscription_id).get(item_id, [])
    if of["amount"] < 0:
        debits = [_cut(debit, start) for debit in debits if debit["start"] < start]
    elif of["amount"] > 0:
        added = {
            "amount": of["amount"],
            "end": end,
            "price": of["pricing"]["price_details"]["price"],
            "quantity": of["quantity"],
            "reference": reference,
            "start": start,
        }
        debits = [*debits, added]
    live = [debit for debit in debits if debit["end"] > context.now]
    context.store.note(subscription_id, debits={item_id: live})


def _cut(debit: Json, end: int) -> Json:
    """What remains of a debit when all beyond a moment was given back."""
    if end >= debit["end"]:
        return debit
    part_s, whole_s = debit["end"] - end, debit["end"] - debit["start"]
    given_back = prorated(-debit["amount"], part_s=part_s, whole_s=whole_s)
    return debit | {"amount": debit["amount"] + given_back, "end": end}


def _debits(context: Context, subscription_id: str) -> Json:
    debits: Json = context.store.notes(subscription_id).get("debits", {})
    return debits


def _credit(
    context: Context, subscription: Json, item_id: str, debit: Json, at: int
) -> Json:
    price = context.fetch("price", debit["price"])
    name = several(product_name(context, price), debit["quantity"])
    return _values(
        subscription,
        item_id,
        amount=prorated(
            -debit["amount"],
            part_s=debit["end"] - at,
            whole_s=debit["end"] - debit["start"],
        ),
        credited=debit["reference"],
        description=f"Unused time on {name} after {on_day(at)}",
        period={"end": debit["end"], "start": at},
        price=price,
        quantity=debit["quantity"],
    )


def _values(
    subscription: Json,
    item_id: str,
    *,
    amount: int,
    description: str,
    period: Json,
    price: Json,
    quantity: int,
    credited: Json | None = None,
    taken_off: list[Json] | None = None,
) -> Json:
    return {
        "amount": amount,
        "currency": price["currency"],
        "customer": subscription["customer"],
        "description": description,
        "parent": {
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": item_id,
            },
            "type": "subscription_details",
        },
        "period": period,
        "pricing": pricing(price),
        "proration": True,
        "proration_details": {
            "credited_items": credited,
            "discount_amounts": taken_off or [],
        },
        "quantity": quantity,
        "test_clock": subscription["test_clock"],
    }
