"""Invoice lines: what they say, and how the parts of an amount are rounded."""

from __future__ import annotations

from datetime import UTC, datetime

from stripe_sandbox.contract.objects import fill
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources.fields import dollars

_TIMES = "\N{MULTIPLICATION SIGN}"


def prorated(amount: int, *, part_s: int, whole_s: int) -> int:
    """Return a part of an amount in cents, rounded down: -666.67 is -667."""
    return amount * part_s // whole_s


def for_cycle(
    context: Context, subscription: Json, item: Json, *, part_s: int, of_s: int
) -> Json:
    """Return the line for an item's current period, which is a part of a cycle."""
    amount = item["price"]["unit_amount"] * item["quantity"]
    return _of_item(
        subscription,
        item,
        amount=prorated(amount, part_s=part_s, whole_s=of_s),
        description=_full_price(context, item),
    )


def for_trial(context: Context, subscription: Json, item: Json) -> Json:
    """Return the line, free of charge, for an item's trial."""
    description = f"Trial period for {product_name(context, item['price'])}"
    return _of_item(subscription, item, amount=0, description=description)


def from_invoice_item(context: Context, item: Json) -> Json:
    """Return the line of an invoice item."""
    return {
        "amount": item["amount"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": _included(item),
        "discountable": item["discountable"],
        "metadata": item["metadata"],
        "parent": _parent_of_invoice_item(context, item),
        "period": item["period"],
        "pricing": item["pricing"],
        "quantity": item["quantity"],
    }


def complete(line: Json, invoice_id: str) -> Json:
    """Return a line as it stands on an invoice, with its id and every field."""
    values = {
        "id": new_id("il"),
        "discount_amounts": [],
        "invoice": invoice_id,
        "pretax_credit_amounts": [],
        "quantity_decimal": str(line["quantity"]),
        "subtotal": line["amount"],
        "taxes": [],
    }
    return fill("line_item", values | line)


def pricing(price: Json) -> Json:
    """Return how a line names its price."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def product_name(context: Context, price: Json) -> str:
    """Return the name of the product that a price is for."""
    return str(context.fetch("product", price["product"])["name"])


def several(name: str, quantity: int) -> str:
    """Return a product's name with its quantity, which goes unsaid for one."""
    return name if quantity == 1 else f"{quantity} {_TIMES} {name}"


def on_day(at: int) -> str:
    """Return a day as invoices print it: 5 Nov 2026."""
    return datetime.fromtimestamp(at, UTC).strftime("%-d %b %Y")


def _full_price(context: Context, item: Json) -> str:
    price, recurring = item["price"], item["price"]["recurring"]
    count, interval = recurring["interval_count"], recurring["interval"]
    every = interval if count == 1 else f"every {count} {interval}s"
    amount = dollars(price["unit_amount"])
    name = product_name(context, price)
    return f"{item['quantity']} {_TIMES} {name} (at {amount} / {every})"


def _of_item(subscription: Json, item: Json, *, amount: int, description: str) -> Json:
    return {
        "amount": amount,
        "currency": item["price"]["currency"],
        "description": description,
        "discountable": True,
        "metadata": subscription["metadata"],
        "parent": _subscription_parent(subscription["id"], item["id"]),
        "period": {
            "end": item["current_period_end"],
            "start": item["current_period_start"],
        },
        "pricing": pricing(item["price"]),
        "quantity": item["quantity"],
        "subscription": subscription["id"],
    }


def _subscription_parent(
    subscription_id: str, item_id: str, **differing: object
) -> Json:
    details: Json = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription_id,
        "subscription_item": item_id,
    }
    return {
        "invoice_item_details": None,
        "subscription_item_details": details | differing,
        "type": "subscription_item_details",
    }


def _parent_of_invoice_item(context: Context, item: Json) -> Json:
    details = (item["parent"] or {}).get("subscription_details") or {}
    shared = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": _credited(context, item)},
    }
    if details.get("subscription_item"):
        return _subscription_parent(
            details["subscription"], details["subscription_item"], **shared
        )
    return {
        "invoice_item_details": shared | {"subscription": details.get("subscription")},
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }


def _included(item: Json) -> list[Json]:
    """A proration is net already: it names its discounts, with nothing to take off."""
    taken_off = (item["proration_details"] or {}).get("discount_amounts") or []
    return [each | {"amount": 0} for each in taken_off]


def _credited(context: Context, item: Json) -> Json | None:
    """Which line a credit gives back; none while that debit is itself pending."""
    given = (item["proration_details"] or {}).get("credited_items")
    if given is None:
        return None
    if given["type"] == "invoice_line_items":
        line: Json = given["invoice_line_item_details"]
        return line
    debit = context.fetch("invoiceitem", given["invoice_item"])
    if debit["invoice"] is None:
        return None
    invoice = context.fetch("invoice", debit["invoice"])
    wanted = [
        line["id"]
        for line in invoice["lines"]["data"]
        if _made_from(line) == debit["id"]
    ]
    return {"invoice": invoice["id"], "invoice_line_items": wanted}


def _made_from(line: Json) -> str | None:
    made_from: str | None = line["parent"][line["parent"]["type"]]["invoice_item"]
    return made_from
