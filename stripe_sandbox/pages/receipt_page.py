"""The receipt behind a charge's `receipt_url`."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.http_messages import Request, Response
from stripe_sandbox.pages.rendering import page
from stripe_sandbox.resources.accounts import BUSINESS_NAME


def receipt_page(context: Context, _request: Request, charge_id: str) -> Response:
    """Show what was paid, with which card, and what was refunded."""
    charge = context.fetch("charge", charge_id)
    return page("receipt.html", business=BUSINESS_NAME, charge=charge)
