"""Credit notes: they lower an open invoice, or give back part of a paid one."""

from __future__ import annotations

from stripe_sandbox.contract.objects import fill
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.listing import Filter, list_of, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, missing_resource
from stripe_sandbox.invoicing import collecting
from stripe_sandbox.invoicing.discounts import net_of
from stripe_sandbox.resources import refunds
from stripe_sandbox.resources.fields import (
    dollars,
    metadata,
    refuse_unsupported,
    updated,
)

_WAYS = ("refund_amount", "credit_amount", "out_of_band_amount")
_SUPPORTED = frozenset({*_WAYS, "amount", "invoice", "lines", "memo", "metadata",
                        "reason"})  # fmt: skip
_LINE = frozenset({"amount", "description", "invoice_line_item", "quantity", "type",
                   "unit_amount"})  # fmt: skip


@operation("POST", "/v1/credit_notes")
def create(context: Context, params: Json) -> Json:
    """Issue a credit note; what was paid already goes back as the parameters say."""
    refuse_unsupported("Credit notes", params, _SUPPORTED)
    invoice = context.fetch("invoice", params["invoice"], param="invoice")
    context = context.following(invoice)
    note_id = new_id("cn")
    lines = [_line(invoice, each) for each in _given_lines(params)]
    amount = sum(line["amount"] for line in lines)
    _check(invoice, amount, params)
    paid = invoice["status"] == "paid"
    given_back = _give_back(context, invoice, params) if paid else []
    note = context.create(
        "credit_note",
        id=note_id,
        **_totals(amount, paid=paid),
        currency=invoice["currency"],
        customer=invoice["customer"],
        effective_at=context.now,
        invoice=invoice["id"],
        lines=list_of(lines, url=f"/v1/credit_notes/{note_id}/lines"),
        memo=params.get("memo"),
        metadata=metadata(params.get("metadata")),
        number=_number(context, invoice),
        out_of_band_amount=params.get("out_of_band_amount"),
        pdf=f"{context.base_url}/credit_notes/{note_id}/pdf",
        reason=params.get("reason"),
        refunds=given_back,
        status="issued",
    )
    context.emit("credit_note.created", note)
    _settle(context, invoice, amount)
    return note


@operation("GET", "/v1/credit_notes/preview")
def preview(context: Context, params: Json) -> Json:
    """Return the credit note that would be issued."""
    with context.store.rehearsal():
        return create(context, params)


@operation("GET", "/v1/credit_notes/{id}")
def retrieve(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Return a credit note."""
    return context.fetch("credit_note", id)


@operation("POST", "/v1/credit_notes/{id}")
def update(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Change the memo and the metadata."""
    before = context.fetch("credit_note", id)
    values = updated(before, params, "memo")
    return context.change(before, event="credit_note.updated", **values)


@operation("POST", "/v1/credit_notes/{id}/void")
def void(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Take back a credit note of an invoice that is still open."""
    before = context.fetch("credit_note", id)
    invoice = context.fetch("invoice", before["invoice"])
    if before["status"] != "issued" or invoice["status"] != "open":
        raise ApiError("You can only void issued credit notes of open invoices.")
    context = context.following(invoice)
    voided = context.change(before, status="void", voided_at=context.now)
    context.emit("credit_note.voided", voided)
    _settle(context, invoice, -before["amount"])
    return voided


@operation("GET", "/v1/credit_notes/{credit_note}/lines")
def list_lines(context: Context, params: Json, credit_note: str) -> Json:
    """List the lines of a credit note."""
    lines: Json = context.fetch("credit_note", credit_note)["lines"]
    return lines


@operation("GET", "/v1/credit_notes")
def list_notes(context: Context, params: Json) -> Json:
    """List credit notes, newest first."""
    keep = Filter(customer=params.get("customer"), invoice=params.get("invoice"))
    keep.created(params.get("created"))
    return page(context, "credit_note", params, url="/v1/credit_notes", keep=keep)


def _given_lines(params: Json) -> list[Json]:
    if ("amount" in params) == ("lines" in params):
        raise ApiError(
            "You must pass exactly one of `amount` or `lines`.", param="amount"
        )
    custom = {"type": "custom_line_item", "unit_amount": params.get("amount")}
    return params.get("lines") or [custom | {"description": "Credit", "quantity": 1}]


def _line(invoice: Json, given: Json) -> Json:
    refuse_unsupported("credit note lines", given, _LINE)
    if given["type"] == "custom_line_item":
        for name in ("unit_amount", "description"):
            if given.get(name) is None:
                raise missing_parameter(f"lines[{name}]")
        quantity, unit = given.get("quantity", 1), given["unit_amount"]
        values = {"amount": quantity * unit, "description": given["description"]}
    else:
        billed = _billed(invoice, given.get("invoice_line_item"))
        quantity, unit = given.get("quantity", billed["quantity"]), None
        values = {
            "amount": given.get("amount", net_of(billed)),
            "description": billed["description"],
            "invoice_line_item": billed["id"],
        }
    return fill(
        "credit_note_line_item",
        {
            "id": new_id("cnli"),
            "discount_amount": 0,
            "quantity": quantity,
            "type": given["type"],
            "unit_amount": unit,
            "unit_amount_decimal": None if unit is None else str(unit),
            **values,
        },
    )


def _billed(invoice: Json, line_id: str | None) -> Json:
    for line in invoice["lines"]["data"]:
        if line["id"] == line_id:
            return dict(line)
    raise missing_resource("invoice line item", str(line_id), param="lines", status=400)


def _check(invoice: Json, amount: int, params: Json) -> None:
    if invoice["status"] not in ("open", "paid"):
        raise ApiError(
            "Credit notes can only be created for invoices with a status of open or"
            f" paid; this one is {invoice['status']}.",
            param="invoice",
        )
    left = _left(invoice)
    if not 0 < amount <= left:
        raise ApiError(
            f"The credit note amount ({dollars(amount)}) must be above zero and at most"
            f" what is left of the invoice ({dollars(left)}).",
            param="amount",
        )
    ways = sum(params.get(way, 0) for way in _WAYS)
    if ways != (amount if invoice["status"] == "paid" else 0):
        raise ApiError(
            "The sum of credit amount, refund amount and out of band amount"
            f" ({dollars(ways)}) must equal the credit note amount that was already"
            f" paid ({dollars(amount if invoice['status'] == 'paid' else 0)})."
        )


def _left(invoice: Json) -> int:
    if invoice["status"] == "open":
        return int(invoice["amount_remaining"])
    return int(invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"])


def _give_back(context: Context, invoice: Json, params: Json) -> list[Json]:
    """Refund to the card, and credit the customer's balance."""
    if credit := params.get("credit_amount"):
        customer = context.fetch("customer", invoice["customer"])
        balance = customer["balance"] - credit
        context.change(customer, event="customer.updated", balance=balance)
    if not params.get("refund_amount"):
        return []
    intent = collecting.intent_of(context, invoice)
    if intent is None:
        raise ApiError("This invoice has no payment to refund.", param="refund_amount")
    wanted = {"amount": params["refund_amount"], "payment_intent": intent["id"]}
    refund = refunds.create(context, wanted)
    return [
        {
            "amount_refunded": refund["amount"],
            "payment_record_refund": None,
            "refund": refund["id"],
            "type": "refund",
        }
    ]


def _totals(amount: int, *, paid: bool) -> Json:
    return {
        "amount": amount,
        "amount_shipping": 0,
        "discount_amount": 0,
        "post_payment_amount": amount if paid else 0,
        "pre_payment_amount": 0 if paid else amount,
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "post_payment" if paid else "pre_payment",
    }


def _number(context: Context, invoice: Json) -> str:
    count = len(context.store.find("credit_note", invoice=invoice["id"]))
    return f"{invoice['number']}-CN-{count + 1:02}"


def _settle(context: Context, invoice: Json, amount: int) -> None:
    """Count the note on its invoice; one that is lowered to nothing is paid."""
    paid = invoice["status"] == "paid"
    name = f"{'post' if paid else 'pre'}_payment_credit_notes_amount"
    values: Json = {name: invoice[name] + amount}
    if not paid:
        due = invoice["amount_remaining"] - amount
        values |= {"amount_due": due, "amount_remaining": due}
        intent = collecting.intent_of(context, invoice)
        if intent and due:
            context.change(intent, amount=due)
    changed = context.change(invoice, event="invoice.updated", **values)
    if not paid and changed["amount_remaining"] == 0:
        collecting.close_payment(context, changed, "canceled")
        collecting.mark_paid(context, changed, 0)
