"""Invoice payments: which PaymentIntent pays which invoice."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import not_in_the_sandbox


@operation("GET", "/v1/invoice_payments/{invoice_payment}")
def retrieve(context: Context, params: Json, invoice_payment: str) -> Json:
    """Return a payment of an invoice."""
    return context.fetch("invoice_payment", invoice_payment)


@operation("GET", "/v1/invoice_payments")
def list_payments(context: Context, params: Json) -> Json:
    """List the payments of an invoice, or those made by a PaymentIntent."""
    keep = Filter(invoice=params.get("invoice"), status=params.get("status"))
    keep.created(params.get("created"))
    wanted = params.get("payment")
    if wanted:
        if wanted["type"] != "payment_intent":
            raise not_in_the_sandbox(f"Payments of type `{wanted['type']}`")
        found = "json_extract(body, '$.payment.payment_intent') = ?"
        keep.where(found, wanted.get("payment_intent"))
    return page(
        context, "invoice_payment", params, url="/v1/invoice_payments", keep=keep
    )
