"""The hosted invoice at `/invoices/<invoice>`: read it, print it, pay it."""

from __future__ import annotations

from stripe_sandbox import authentication
from stripe_sandbox.buyers import Buyer, new_card
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_resource
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.invoicing import collecting
from stripe_sandbox.pages.card_form import TEST_CARDS, card_problems, expiry_of
from stripe_sandbox.pages.invoice_pdf import invoice_pdf
from stripe_sandbox.pages.rendering import page
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.accounts import BUSINESS_NAME


def invoice_page(
    context: Context, request: Request, invoice_id: str, below: str | None
) -> Response:
    """Answer a request for an invoice or, below `/pdf`, for its file.

    Raises:
        ApiError: there is none, or it is not finalized.
    """
    invoice = context.fetch("invoice", invoice_id)
    if invoice["hosted_invoice_url"] is None:
        raise missing_resource("invoice", invoice_id)
    if below == "/pdf":
        return _file(invoice)
    context = context.following(invoice)
    if request.method == "POST" and invoice["status"] == "open":
        return _submit(context, invoice, request.form())
    return _show(context, invoice, {})


def _submit(context: Context, invoice: Json, form: Json) -> Response:
    intent = collecting.intent_of(context, invoice)
    if intent and form.get("action") == "confirm":
        return _to_the_bank(context, invoice, intent)
    problems = card_problems(form, now=context.now)
    if problems:
        return _show(context, invoice, form, status=422, problems=problems)
    try:
        return _pay(context, invoice, form)
    except ApiError as declined:
        if not declined.keeps_changes:
            raise
        invoice = context.fetch("invoice", invoice["id"])
        problems = {"card_number": str(declined)}
        return _show(context, invoice, form, status=402, problems=problems)


def _pay(context: Context, invoice: Json, form: Json) -> Response:
    buyer = Buyer(
        email=invoice["customer_email"] or "",
        name=str(form["name"]).strip(),
        card_number=str(form["card_number"]),
        expiry=expiry_of(form),
    )
    method = payment_methods.attach_to(
        context, new_card(context, buyer), invoice["customer"]
    )
    invoice = collecting.collect(context, invoice, method["id"])
    intent = collecting.intent_of(context, invoice)
    if intent and intent["status"] == "requires_action":
        return _to_the_bank(context, invoice, intent)
    _keep_for_renewals(context, invoice, method)
    return redirect(f"/invoices/{invoice['id']}")


def _keep_for_renewals(context: Context, invoice: Json, method: Json) -> None:
    """The card that paid a subscription's invoice also pays the next ones."""
    subscription = collecting.subscription_of(context, invoice)
    if subscription:
        context.change(
            subscription,
            event="customer.subscription.updated",
            default_payment_method=method["id"],
        )


def _to_the_bank(context: Context, invoice: Json, intent: Json) -> Response:
    back = {"return_url": invoice["hosted_invoice_url"]}
    authentication.note_return_url(context, intent, back)
    return redirect(authentication.challenge_url(context, intent))


def _show(
    context: Context,
    invoice: Json,
    form: Json,
    *,
    status: int = 200,
    problems: dict[str, str] | None = None,
) -> Response:
    intent = collecting.intent_of(context, invoice)
    return page(
        "invoice.html",
        status=status,
        business=BUSINESS_NAME,
        form=form,
        invoice=invoice,
        problems=problems or {},
        test_cards=TEST_CARDS,
        waits_for_bank=bool(intent and intent["status"] == "requires_action"),
    )


def _file(invoice: Json) -> Response:
    name = f"Invoice-{invoice['number']}.pdf"
    headers = {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(200, invoice_pdf(invoice), headers)
