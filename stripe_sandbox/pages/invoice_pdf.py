"""An invoice as a PDF."""

from __future__ import annotations

from stripe_sandbox.engine.store import Json
from stripe_sandbox.pages.pdf import HEIGHT, Text, document, right_aligned
from stripe_sandbox.pages.rendering import day, money
from stripe_sandbox.resources.accounts import BUSINESS_NAME

_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 539, HEIGHT - 72, 90
_LINE_H = 18
_DESCRIPTION_MAX = 72
_STATES = {
    "open": "Due",
    "paid": "Paid",
    "uncollectible": "Uncollectible",
    "void": "Void",
}


def invoice_pdf(invoice: Json) -> bytes:
    """Return the file: number, date, lines, total and status."""
    rows = [*_lines(invoice), *_sums(invoice)]
    pages = [_head(invoice)]
    y = _TOP - 150
    for label, amount, bold in rows:
        if y < _BOTTOM:
            pages.append([])
            y = _TOP
        pages[-1].append(Text(_LEFT, y, label[:_DESCRIPTION_MAX], bold=bold))
        pages[-1].append(right_aligned(_RIGHT, y, amount, bold=bold))
        y -= _LINE_H
    pages[-1].append(Text(_LEFT, _BOTTOM - 40, "Sandbox: no real money moved.", size=8))
    return document(pages, title=f"Invoice {invoice['number']}")


def _head(invoice: Json) -> list[Text]:
    issued = invoice["status_transitions"]["finalized_at"] or invoice["created"]
    billed_to = invoice["customer_name"] or invoice["customer_email"] or ""
    return [
        Text(_LEFT, _TOP, "Invoice", size=22, bold=True),
        Text(_LEFT, _TOP - 30, BUSINESS_NAME, bold=True),
        Text(_LEFT, _TOP - 54, f"Number: {invoice['number']}"),
        Text(_LEFT, _TOP - 70, f"Date: {day(issued)}"),
        Text(_LEFT, _TOP - 86, f"Status: {_STATES.get(invoice['status'], 'Draft')}"),
        Text(_LEFT, _TOP - 102, f"Billed to: {billed_to}"),
    ]


def _lines(invoice: Json) -> list[tuple[str, str, bool]]:
    return [
        (line["description"] or "", money(line["amount"]), False)
        for line in invoice["lines"]["data"]
    ]


def _sums(invoice: Json) -> list[tuple[str, str, bool]]:
    return [
        ("", "", False),
        *_discounts(invoice),
        ("Total", money(invoice["total"]), True),
        ("Paid", money(invoice["amount_paid"]), False),
        ("Amount due", money(invoice["amount_remaining"]), True),
    ]


def _discounts(invoice: Json) -> list[tuple[str, str, bool]]:
    return [
        ("Discount", money(-off["amount"]), False)
        for off in invoice["total_discount_amounts"]
    ]
