"""Invoices: the operations of the API."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, list_of, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import (
    ApiError,
    missing_parameter,
    missing_resource,
    not_in_the_sandbox,
)
from stripe_sandbox.invoicing import closing, collecting, drafts, finalizing
from stripe_sandbox.invoicing.drafts import Wanted
from stripe_sandbox.resources import customers, invoice_items, payment_methods
from stripe_sandbox.resources.fields import metadata, refuse_unsupported, updated
from stripe_sandbox.subscribing import terms

_FREE = ("default_payment_method", "description", "footer", "number",
         "statement_descriptor")  # fmt: skip
_SUPPORTED = frozenset({
    *_FREE, "auto_advance", "collection_method", "currency", "customer", "metadata",
    "pending_invoice_items_behavior", "subscription",
})  # fmt: skip
_UPDATES = frozenset({*_FREE, "auto_advance", "collection_method", "metadata"})
_PAYING = frozenset({"off_session", "paid_out_of_band", "payment_method"})
_DRAFT_S = 3600


@operation("POST", "/v1/invoices")
def create(context: Context, params: Json) -> Json:
    """Draft an invoice, with the pending items of a subscription or of the customer."""
    refuse_unsupported("Invoices", params, _SUPPORTED)
    _check_collection(params)
    customer = _customer_of(context, params)
    context = context.following(customer)
    subscription = None
    if "subscription" in params:
        subscription = context.fetch(
            "subscription", params["subscription"], param="subscription"
        )
    advances = params.get("auto_advance", False)
    values = {name: params[name] for name in _FREE if name in params}
    _check_card(context, customer["id"], values)
    wanted = Wanted(
        customer=customer,
        reason="subscription_update" if subscription else "manual",
        currency=params.get("currency") or customer["currency"] or "usd",
        period=(context.now, context.now),
        subscription=subscription,
        items=_pending(context, customer, subscription, params),
        auto_advance=advances,
        finalizes_at=context.now + _DRAFT_S if advances else None,
        values=values | {"metadata": metadata(params.get("metadata"))},
    )
    invoice = drafts.draft(context, wanted)
    _plan(context, invoice)
    return invoice


@operation("GET", "/v1/invoices/{invoice}")
def retrieve(context: Context, params: Json, invoice: str) -> Json:
    """Return an invoice."""
    return _existing(context, invoice)


@operation("POST", "/v1/invoices/{invoice}")
def update(context: Context, params: Json, invoice: str) -> Json:
    """Change an invoice; once it is finalized, only a little."""
    refuse_unsupported("Invoices", params, _UPDATES)
    _check_collection(params)
    before = _existing(context, invoice)
    context = context.following(before)
    if before["status"] != "draft" and params.keys() & {"number", "footer"}:
        raise ApiError("Finalized invoices can't be updated in this way.")
    values = updated(before, params, *_FREE)
    _check_card(context, before["customer"], values)
    if "auto_advance" in params:
        advances = params["auto_advance"]
        drafted = before["status"] == "draft"
        values["auto_advance"] = advances
        values["automatically_finalizes_at"] = (
            context.now + _DRAFT_S if advances and drafted else None
        )
    after = context.change(before, event="invoice.updated", **values)
    if "auto_advance" in params:
        _plan(context, after)
    return after


@operation("DELETE", "/v1/invoices/{invoice}")
def delete(context: Context, params: Json, invoice: str) -> Json:
    """Delete a draft that belongs to no subscription; its items wait again."""
    before = _existing(context, invoice)
    if before["status"] != "draft" or before["parent"]:
        raise ApiError("You can only delete draft invoices that you created by hand.")
    for item in context.store.find("invoiceitem", invoice=invoice):
        context.change(item, invoice=None)
    gone = {"id": invoice, "object": "invoice", "deleted": True}
    context.emit("invoice.deleted", before)
    context.store.replace(gone)
    return gone


@operation("POST", "/v1/invoices/{invoice}/finalize")
def finalize(context: Context, params: Json, invoice: str) -> Json:
    """Fix a draft; with `auto_advance` it is also collected."""
    before = _existing(context, invoice)
    context = context.following(before)
    advances = bool(params.get("auto_advance", before["auto_advance"]))
    after = finalizing.finalize(context, before, auto_advance=advances)
    if advances and after["status"] == "open":
        # Stripe collects about an hour later; here, as soon as time goes on.
        context.schedule("collect_invoice", invoice, due_at=context.now)
    return after


@operation("POST", "/v1/invoices/{invoice}/pay")
def pay(context: Context, params: Json, invoice: str) -> Json:
    """Pay an invoice now, with the card on file or the one given."""
    refuse_unsupported("Invoices", params, _PAYING)
    before = _existing(context, invoice)
    context = context.following(before)
    if before["status"] == "draft":
        before = finalizing.finalize(context, before, auto_advance=False)
        if before["status"] == "paid":
            return before
    _check_payable(before)
    if params.get("paid_out_of_band"):
        return closing.pay_out_of_band(context, before)
    after = collecting.collect(context, before, _method(context, before, params))
    if after["status"] != "paid":
        raise _action_required(context, after)
    return after


@operation("POST", "/v1/invoices/{invoice}/void")
def void(context: Context, params: Json, invoice: str) -> Json:
    """Void an invoice."""
    before = _existing(context, invoice)
    if before["status"] not in ("open", "uncollectible"):
        raise ApiError(
            "You can only pass in open or uncollectible invoices. This invoice isn't"
            " open or uncollectible."
        )
    return closing.void(context.following(before), before)


@operation("POST", "/v1/invoices/{invoice}/mark_uncollectible")
def mark_uncollectible(context: Context, params: Json, invoice: str) -> Json:
    """Write an invoice off."""
    before = _existing(context, invoice)
    if before["status"] != "open":
        raise ApiError("You can only pass in open invoices. This invoice isn't open.")
    return closing.mark_uncollectible(context.following(before), before)


@operation("GET", "/v1/invoices/{invoice}/lines")
def list_lines(context: Context, params: Json, invoice: str) -> Json:
    """List the lines of an invoice, in their order."""
    lines = _existing(context, invoice)["lines"]["data"]
    after = params.get("starting_after")
    if after:
        ids = [line["id"] for line in lines]
        if after not in ids:
            raise missing_resource("line_item", after, param="starting_after")
        lines = lines[ids.index(after) + 1 :]
    if "ending_before" in params:
        raise not_in_the_sandbox("`ending_before` on invoice lines")
    limit = int(params.get("limit", 10))
    url = f"/v1/invoices/{invoice}/lines"
    return list_of(lines[:limit], url=url, has_more=len(lines) > limit)


@operation("GET", "/v1/invoices")
def list_invoices(context: Context, params: Json) -> Json:
    """List invoices, newest first."""
    if "due_date" in params:
        raise not_in_the_sandbox("`due_date` in the list of invoices")
    keep = Filter(
        collection_method=params.get("collection_method"),
        customer=params.get("customer"),
        status=params.get("status"),
    ).created(params.get("created"))
    keep.where("json_extract(body, '$.deleted') IS NULL")
    if "subscription" in params:
        keep.where(
            "json_extract(body, '$.parent.subscription_details.subscription') = ?",
            params["subscription"],
        )
    return page(context, "invoice", params, url="/v1/invoices", keep=keep)


def _existing(context: Context, invoice_id: str) -> Json:
    invoice = context.fetch("invoice", invoice_id)
    if invoice.get("deleted"):
        raise missing_resource("invoice", invoice_id)
    return invoice


def _customer_of(context: Context, params: Json) -> Json:
    if "customer" not in params:
        raise missing_parameter("customer")
    return customers.existing(context, params["customer"], param="customer")


def _pending(
    context: Context, customer: Json, subscription: Json | None, params: Json
) -> list[Json]:
    if subscription:
        return invoice_items.pending_of(
            context, customer["id"], subscription=subscription["id"], others=False
        )
    if params.get("pending_invoice_items_behavior") != "include":
        return []
    return invoice_items.pending_of(context, customer["id"], subscription=None)


def _plan(context: Context, invoice: Json) -> None:
    at = invoice["automatically_finalizes_at"]
    if at:
        context.schedule("finalize_invoice", invoice["id"], due_at=at)


def _check_collection(params: Json) -> None:
    if params.get("collection_method", "charge_automatically") == "send_invoice":
        raise not_in_the_sandbox("`collection_method` send_invoice")


def _check_card(context: Context, customer_id: str, values: Json) -> None:
    given = values.get("default_payment_method")
    if given:
        method_id = terms.card_of_customer(context, customer_id, given)
        values["default_payment_method"] = method_id


def _check_payable(invoice: Json) -> None:
    if invoice["status"] == "paid":
        raise ApiError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError("Voided invoices can't be paid.")


def _method(context: Context, invoice: Json, params: Json) -> str:
    if "payment_method" in params:
        given = params["payment_method"]
        method = payment_methods.resolve(context, given, param="payment_method")
        payment_methods.attach_to(context, method, invoice["customer"])
        return str(method["id"])
    method_id = collecting.method_for(context, invoice)
    if method_id is None:
        raise collecting.no_card()
    return method_id


def _action_required(context: Context, invoice: Json) -> ApiError:
    return ApiError(
        "The payment for this invoice requires additional user action before it can be"
        " completed successfully. Payment can be completed using the PaymentIntent"
        " associated with the invoice.",
        status=402,
        type="card_error",
        code="invoice_payment_intent_requires_action",
        payment_intent=collecting.intent_of(context, invoice),
    )
