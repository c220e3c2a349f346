"""From draft to open: a number, the customer's balance, a payment to be made."""

from __future__ import annotations

from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.expansion import included
from stripe_sandbox.engine.listing import list_of
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.invoicing import collecting, drafts
from stripe_sandbox.resources import payment_intents

_DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def finalize(context: Context, invoice: Json, *, auto_advance: bool) -> Json:
    """Fix an invoice. What needs no money is paid by that.

    Raises:
        ApiError: it is no draft.
    """
    if invoice["status"] != "draft":
        raise ApiError(
            "This invoice is already finalized, you can't re-finalize a non-draft"
            " invoice."
        )
    customer = context.fetch("customer", invoice["customer"])
    due, balance = drafts.settled(invoice["total"], balance=customer["balance"])
    invoice = context.change(
        invoice,
        **drafts.amounts(invoice["lines"]["data"], balance=customer["balance"]),
        **_numbered(context, invoice, customer),
        auto_advance=auto_advance,
        automatically_finalizes_at=None,
        effective_at=context.now,
        ending_balance=balance,
        next_payment_attempt=context.now if due and auto_advance else None,
        status="open",
        status_transitions=invoice["status_transitions"]
        | {"finalized_at": context.now},
    )
    _take_balance(context, invoice)
    if due:
        _expect_payment(context, invoice)
    context.emit("invoice.finalized", invoice)
    return invoice if due else collecting.mark_paid(context, invoice, 0)


@task("finalize_invoice")
def finalize_when_due(context: Context, invoice_id: str) -> None:
    """Finalize a draft an hour after it was made, and collect it."""
    invoice = context.fetch("invoice", invoice_id)
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    invoice = finalize(context, invoice, auto_advance=True)
    if invoice["status"] == "open":
        collecting.collect_automatically(context, invoice)


@included("invoice", "payments")
def payments_of(context: Context, invoice: Json) -> Json:
    """Return the payments of an invoice."""
    found = context.store.find("invoice_payment", invoice=invoice["id"])
    return list_of(found[::-1], url="/v1/invoice_payments")


@included("invoice", "confirmation_secret")
def confirmation_secret_of(context: Context, invoice: Json) -> Json | None:
    """Return what a browser needs to confirm the payment of an open invoice."""
    intent = collecting.intent_of(context, invoice)
    if intent is None:
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _numbered(context: Context, invoice: Json, customer: Json) -> Json:
    if invoice["number"]:
        number = invoice["number"]
    else:
        sequence = customer["next_invoice_sequence"]
        number = f"{customer['invoice_prefix']}-{sequence:04}"
        context.change(customer, next_invoice_sequence=sequence + 1)
    url = f"{context.base_url}/invoices/{invoice['id']}"
    return {"hosted_invoice_url": url, "invoice_pdf": f"{url}/pdf", "number": number}


def _take_balance(context: Context, invoice: Json) -> None:
    customer = context.fetch("customer", invoice["customer"])
    balance = invoice["ending_balance"]
    context.change(customer, event="customer.updated", balance=balance)


def _expect_payment(context: Context, invoice: Json) -> None:
    intent = _intent(context, invoice)
    context.store.note(intent["id"], invoice=invoice["id"])
    context.store.note(invoice["id"], intent=intent["id"])
    context.create(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={
            "charge": None,
            "payment_intent": intent["id"],
            "payment_record": None,
            "type": "payment_intent",
        },
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )


def _intent(context: Context, invoice: Json) -> Json:
    wanted: Json = {
        "amount": invoice["amount_due"],
        "automatic_payment_methods": None,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
    }
    if invoice["billing_reason"] in _DESCRIPTIONS:
        wanted["description"] = _DESCRIPTIONS[invoice["billing_reason"]]
        wanted["setup_future_usage"] = "off_session"
    if method := collecting.method_for(context, invoice):
        wanted["payment_method"] = method
    return payment_intents.add(context, wanted)
