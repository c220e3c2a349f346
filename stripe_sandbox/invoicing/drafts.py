"""Draft invoices: lines, totals, and what they copy of customer and subscription."""

from __future__ import annotations

from dataclasses import dataclass, field

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import discounts
from stripe_sandbox.invoicing import lines as invoice_lines
from stripe_sandbox.resources.accounts import BUSINESS_NAME
from stripe_sandbox.resources.fields import CARD_MINIMUM_CENTS

_BLANK: Json = {
    "account_country": "US",
    "account_name": BUSINESS_NAME,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_shipping": 0,
    "attempt_count": 0,
    "collection_method": "charge_automatically",
    "issuer": {"account": None, "type": "self"},
    "metadata": {},
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "status": "draft",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an invoice shall be made of."""

    customer: Json
    reason: str
    currency: str
    period: tuple[int, int]
    subscription: Json | None = None
    items: list[Json] = field(default_factory=list)
    """Pending invoice items: they become lines, and are pending no more."""
    lines: list[Json] = field(default_factory=list)
    auto_advance: bool = False
    finalizes_at: int | None = None
    proration_date: int | None = None
    values: Json = field(default_factory=dict)


def draft(context: Context, wanted: Wanted) -> Json:
    """Keep a draft and tell of it."""
    invoice_id = new_id("in")
    given = [invoice_lines.from_invoice_item(context, each) for each in wanted.items]
    lines = [invoice_lines.complete(each, invoice_id) for each in given + wanted.lines]
    taken_off = discounts.active(context, wanted.subscription)
    lines = discounts.on_lines(context, lines, taken_off)
    values = (
        _BLANK
        | _asked_for(wanted)
        | _copied(context, wanted.customer)
        | amounts(lines, balance=wanted.customer["balance"])
        | {
            "discounts": taken_off,
            "lines": listed(lines, invoice_id),
            "webhooks_delivered_at": context.now,
        }
        | wanted.values
    )
    invoice = context.create("invoice", id=invoice_id, **values)
    for item in wanted.items:
        context.change(item, invoice=invoice_id)
    context.emit("invoice.created", invoice)
    return invoice


def amounts(lines: list[Json], *, balance: int) -> Json:
    """Return the totals of an invoice; a customer's negative balance pays first."""
    subtotal = sum(line["amount"] for line in lines)
    taken_off = discounts.totals(lines)
    total = subtotal - sum(each["amount"] for each in taken_off)
    due, _ = settled(total, balance=balance)
    return {
        "amount_due": due,
        "amount_remaining": due,
        "starting_balance": balance,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": taken_off,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": discounts.pretax(taken_off),
        "total_taxes": [],
    }


def settled(total: int, *, balance: int) -> tuple[int, int]:
    """Return what is due and the customer's balance afterwards.

    A credit is kept for later, and so is a debt that is too small for a card.

    Source: https://docs.stripe.com/billing/customer/balance
    """
    due = total + balance
    return (due, 0) if due >= CARD_MINIMUM_CENTS else (0, due)


def listed(lines: list[Json], invoice_id: str) -> Json:
    """Return the list of lines that an invoice carries."""
    return {
        "object": "list",
        "data": lines,
        "has_more": False,
        "total_count": len(lines),
        "url": f"/v1/invoices/{invoice_id}/lines",
    }


def _asked_for(wanted: Wanted) -> Json:
    return {
        "auto_advance": wanted.auto_advance,
        "automatically_finalizes_at": wanted.finalizes_at,
        "billing_reason": wanted.reason,
        "currency": wanted.currency,
        "next_payment_attempt": wanted.finalizes_at,
        "parent": _parent(wanted),
        "period_end": wanted.period[1],
        "period_start": wanted.period[0],
    }


def _copied(context: Context, customer: Json) -> Json:
    tax_ids = context.store.find("tax_id", customer=customer["id"])
    return {
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [
            {"type": each["type"], "value": each["value"]} for each in tax_ids
        ],
        "test_clock": customer["test_clock"],
    }


def _parent(wanted: Wanted) -> Json | None:
    if wanted.subscription is None:
        return None
    details = {
        "metadata": wanted.subscription["metadata"],
        "subscription": wanted.subscription["id"],
    }
    if wanted.proration_date is not None:
        details["subscription_proration_date"] = wanted.proration_date
    return {
        "quote_details": None,
        "subscription_details": details,
        "type": "subscription_details",
    }
