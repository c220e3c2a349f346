"""Invoice items: charges and credits that wait for the next invoice."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, missing_resource
from stripe_sandbox.invoicing import discounts, drafts
from stripe_sandbox.invoicing import lines as invoice_lines
from stripe_sandbox.resources import customers, prices
from stripe_sandbox.resources.fields import metadata, refuse_unsupported, updated

_SUPPORTED = frozenset({
    "amount", "currency", "customer", "description", "discountable", "invoice",
    "metadata", "period", "price_data", "pricing", "quantity", "subscription",
})  # fmt: skip
_UPDATES = frozenset({"amount", "description", "discountable", "metadata", "period",
                      "pricing", "quantity"})  # fmt: skip


@operation("POST", "/v1/invoiceitems")
def create(context: Context, params: Json) -> Json:
    """Add a charge or a credit to a draft, or to the customer's next invoice."""
    refuse_unsupported("Invoice items", params, _SUPPORTED)
    customer = _customer_of(context, params)
    context = context.following(customer)
    if "subscription" in params:
        context.fetch("subscription", params["subscription"], param="subscription")
    item = add(context, _values(context, customer, params))
    return (
        _put_on_draft(context, item, params["invoice"]) if "invoice" in params else item
    )


@operation("GET", "/v1/invoiceitems/{invoiceitem}")
def retrieve(context: Context, params: Json, invoiceitem: str) -> Json:
    """Return an invoice item."""
    return _existing(context, invoiceitem)


@operation("POST", "/v1/invoiceitems/{invoiceitem}")
def update(context: Context, params: Json, invoiceitem: str) -> Json:
    """Change an invoice item that is not on an invoice yet."""
    refuse_unsupported("Invoice items", params, _UPDATES)
    before = _pending(context, invoiceitem)
    values = updated(before, params, "description", "discountable", "period")
    if params.keys() & {"amount", "pricing", "quantity"}:
        amount = _amount(context, _as_given(before) | params)
        values |= {name: amount[name] for name in ("amount", "pricing", "quantity")}
        values["net_amount"] = amount["amount"]
        values["quantity_decimal"] = str(amount["quantity"])
    return context.change(before, **values)


@operation("DELETE", "/v1/invoiceitems/{invoiceitem}")
def delete(context: Context, params: Json, invoiceitem: str) -> Json:
    """Take back an invoice item that is not on an invoice yet."""
    return remove(context, _pending(context, invoiceitem))


@operation("GET", "/v1/invoiceitems")
def list_items(context: Context, params: Json) -> Json:
    """List invoice items, newest first."""
    keep = Filter(customer=params.get("customer"), invoice=params.get("invoice"))
    keep.created(params.get("created"), field="date")
    keep.where("json_extract(body, '$.deleted') IS NULL")
    if "pending" in params:
        negated = "" if params["pending"] else "NOT "
        keep.where(f"json_extract(body, '$.invoice') IS {negated}NULL")
    return page(context, "invoiceitem", params, url="/v1/invoiceitems", keep=keep)


def add(context: Context, values: Json) -> Json:
    """Keep a new invoice item; the values were checked by the caller."""
    given = {
        "date": context.now,
        "discountable": not values.get("proration", False),
        "discounts": [],
        "metadata": {},
        "net_amount": values["amount"],
        "quantity_decimal": str(values["quantity"]),
        "tax_rates": [],
    }
    return context.create("invoiceitem", event="invoiceitem.created", **given | values)


def remove(context: Context, item: Json) -> Json:
    """Delete an invoice item; its id stays known as deleted."""
    context.emit("invoiceitem.deleted", item)
    gone = {"id": item["id"], "object": "invoiceitem", "deleted": True}
    context.store.replace(gone)
    return gone


def pending_of(
    context: Context, customer_id: str, *, subscription: str | None, others: bool = True
) -> list[Json]:
    """Return what waits for a subscription's invoice, oldest first.

    With `others`, also what belongs to no subscription.
    """
    waiting = (
        item
        for item in context.store.find("invoiceitem", customer=customer_id)
        if item["invoice"] is None
    )
    wanted = {subscription} | ({None} if others else set())
    return [item for item in waiting if _subscription_of(item) in wanted]


def _subscription_of(item: Json) -> str | None:
    parent = item["parent"]
    return parent["subscription_details"]["subscription"] if parent else None


def _customer_of(context: Context, params: Json) -> Json:
    if "customer" in params:
        return customers.existing(context, params["customer"], param="customer")
    if "invoice" not in params:
        raise missing_parameter("customer")
    invoice = context.fetch("invoice", params["invoice"], param="invoice")
    return customers.existing(context, invoice["customer"])


def _values(context: Context, customer: Json, params: Json) -> Json:
    amount = _amount(context, params)
    parent = None
    if "subscription" in params:
        details = {"subscription": params["subscription"], "subscription_item": None}
        parent = {"subscription_details": details, "type": "subscription_details"}
    return amount | {
        "currency": amount["currency"] or customer["currency"] or "usd",
        "customer": customer["id"],
        "description": params.get("description") or amount["description"],
        "discountable": params.get("discountable", amount["amount"] > 0),
        "metadata": metadata(params.get("metadata")),
        "parent": parent,
        "period": params.get("period", {"end": context.now, "start": context.now}),
        "proration": False,
        "test_clock": customer["test_clock"],
    }


def _amount(context: Context, params: Json) -> Json:
    """A price and a quantity, or an amount of one's own."""
    quantity = params.get("quantity", 1)
    price = _price(context, params)
    if price is None:
        if "amount" not in params:
            raise missing_parameter("amount")
        return {
            "amount": params["amount"],
            "currency": params.get("currency"),
            "description": None,
            "pricing": None,
            "quantity": 1,
        }
    return {
        "amount": price["unit_amount"] * quantity,
        "currency": price["currency"],
        "description": invoice_lines.product_name(context, price),
        "pricing": invoice_lines.pricing(price),
        "quantity": quantity,
    }


def _as_given(item: Json) -> Json:
    """The parameters that would make the amount of an item again."""
    given = {name: item[name] for name in ("amount", "currency", "quantity")}
    if item["pricing"]:
        given["pricing"] = {"price": item["pricing"]["price_details"]["price"]}
    return given


def _price(context: Context, params: Json) -> Json | None:
    if "price_data" in params:
        return prices.create(context, params["price_data"] | {"active": False})
    price_id = (params.get("pricing") or {}).get("price")
    if price_id is None:
        return None
    price = context.fetch("price", price_id, param="pricing[price]")
    if price["type"] == "recurring":
        raise ApiError(
            "The price specified is set to `type=recurring` but this field only accepts"
            " prices with `type=one_time`.",
            param="pricing[price]",
        )
    return price


def _put_on_draft(context: Context, item: Json, invoice_id: str) -> Json:
    invoice = context.fetch("invoice", invoice_id, param="invoice")
    if invoice["status"] != "draft":
        raise ApiError("You can only add items to draft invoices.", param="invoice")
    line = invoice_lines.from_invoice_item(context, item)
    lines = [*invoice["lines"]["data"], invoice_lines.complete(line, invoice_id)]
    lines = discounts.on_lines(context, lines, invoice["discounts"])
    balance = invoice["starting_balance"]
    context.change(
        invoice,
        event="invoice.updated",
        **drafts.amounts(lines, balance=balance),
        lines=drafts.listed(lines, invoice_id),
    )
    return context.change(item, invoice=invoice_id)


def _existing(context: Context, item_id: str) -> Json:
    item = context.fetch("invoiceitem", item_id)
    if item.get("deleted"):
        raise missing_resource("invoiceitem", item_id)
    return item


def _pending(context: Context, item_id: str) -> Json:
    item = _existing(context, item_id)
    if item["invoice"] is not None:
        raise ApiError(
            "This invoice item is attached to an invoice and can no longer be changed."
        )
    return item
