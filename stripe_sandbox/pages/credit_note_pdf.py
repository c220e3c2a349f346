"""A credit note as a PDF."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.http_messages import Request, Response
from stripe_sandbox.pages.pdf import HEIGHT, Text, document, right_aligned
from stripe_sandbox.pages.rendering import day, money
from stripe_sandbox.resources.accounts import BUSINESS_NAME

_LEFT, _RIGHT, _TOP = 56, 539, HEIGHT - 72


def credit_note_pdf(context: Context, _request: Request, note_id: str) -> Response:
    """Serve a credit note as a file."""
    note = context.fetch("credit_note", note_id)
    invoice = context.fetch("invoice", note["invoice"])
    texts = [
        Text(_LEFT, _TOP, "Credit note", size=22, bold=True),
        Text(_LEFT, _TOP - 30, BUSINESS_NAME, bold=True),
        Text(_LEFT, _TOP - 54, f"Number: {note['number']}"),
        Text(_LEFT, _TOP - 70, f"Date: {day(note['created'])}"),
        Text(_LEFT, _TOP - 86, f"Status: {note['status'].capitalize()}"),
        Text(_LEFT, _TOP - 102, f"For invoice: {invoice['number']}"),
        Text(_LEFT, _TOP - 150, "Total credited", bold=True),
        right_aligned(_RIGHT, _TOP - 150, money(note["total"]), bold=True),
        Text(_LEFT, 50, "Sandbox: no real money moved.", size=8),
    ]
    body = document([texts], title=f"Credit note {note['number']}")
    headers = {"Content-Type": "application/pdf", "Cache-Control": "no-store"}
    return Response(200, body, headers)
