"""Getting an open invoice paid: attempts, their outcome, the declared retries."""

from __future__ import annotations

from stripe_sandbox import charging
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.reactions import reaction
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.invoicing import retrying

# After these, no further charge is sent until there is another card.
_HARD_DECLINES = frozenset({
    "authentication_required", "highest_risk_level", "incorrect_number", "lost_card",
    "pickup_card", "revocation_of_all_authorizations", "revocation_of_authorization",
    "stolen_card", "transaction_not_allowed",
})  # fmt: skip


def collect(context: Context, invoice: Json, method_id: str) -> Json:
    """Charge a card for an open invoice and return the invoice as it then is.

    Raises:
        ApiError: the card was declined (402); the failed attempt is kept.
    """
    intent = intent_of(context, invoice)
    assert intent is not None  # noqa: S101 - made when the invoice was finalized
    intent = context.change(
        intent, payment_method=method_id, status="requires_confirmation"
    )
    charging.attempt(context, intent, on_session=True)
    return context.fetch("invoice", invoice["id"])


def collect_automatically(context: Context, invoice: Json) -> Json:
    """Charge the card on file, if there is one that may still be tried."""
    method_id = method_for(context, invoice)
    if method_id and method_id != context.store.notes(invoice["id"]).get("refused"):
        try:
            return collect(context, invoice, method_id)
        except ApiError as declined:
            if not declined.keeps_changes:
                raise
    else:
        _note_attempt(context, invoice)
    return context.fetch("invoice", invoice["id"])


def method_for(context: Context, invoice: Json) -> str | None:
    """Return the card of the invoice, else of its subscription, else the customer's."""
    if invoice["default_payment_method"]:
        return card_on_file(context, invoice)
    return card_on_file(context, subscription_of(context, invoice) or invoice)


def card_on_file(context: Context, body: Json) -> str | None:
    """Return the default card of a subscription, else of its customer.

    A card that was detached since is none.
    """
    customer = context.fetch("customer", body["customer"])
    defaults = (
        body["default_payment_method"],
        customer["invoice_settings"]["default_payment_method"],
    )
    for method_id in filter(None, defaults):
        method = context.fetch("payment_method", method_id)
        if method["customer"] == customer["id"]:
            return str(method_id)
    return None


def subscription_of(context: Context, invoice: Json) -> Json | None:
    """Return the subscription that an invoice is for."""
    subscription_id = subscription_id_of(invoice)
    return context.fetch("subscription", subscription_id) if subscription_id else None


def subscription_id_of(invoice: Json) -> str | None:
    """Return the id of the subscription that an invoice is for."""
    details: Json = (invoice["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def intent_of(context: Context, invoice: Json) -> Json | None:
    """Return the PaymentIntent of an invoice; there is none without money due."""
    intent_id = context.store.notes(invoice["id"]).get("intent")
    return context.fetch("payment_intent", intent_id) if intent_id else None


def mark_paid(
    context: Context, invoice: Json, amount: int, *, out_of_band: bool = False
) -> Json:
    """Close an invoice as paid and tell of it."""
    invoice = context.change(
        invoice,
        event="invoice.updated",
        amount_paid=amount,
        amount_remaining=0,
        attempt_count=max(invoice["attempt_count"], 1 if amount else 0),
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
        status_transitions=invoice["status_transitions"] | {"paid_at": context.now},
    )
    context.emit("invoice.paid", invoice)
    if not out_of_band:
        context.emit("invoice.payment_succeeded", invoice)
    return invoice


def close_payment(context: Context, invoice: Json, status: str) -> None:
    """Close what an invoice still expects: it was `paid`, or is `canceled`."""
    stamp = {"paid": "paid_at", "canceled": "canceled_at"}[status]
    for payment in context.store.find("invoice_payment", invoice=invoice["id"]):
        context.change(
            payment,
            event="invoice_payment.paid" if status == "paid" else "",
            amount_paid=payment["amount_requested"] if status == "paid" else None,
            status=status,
            status_transitions=payment["status_transitions"] | {stamp: context.now},
        )


def no_card() -> ApiError:
    """Refuse to bill somebody who left no card."""
    return ApiError(
        "This customer has no attached payment source or default payment method. Please"
        " consider adding a default payment method. For more information, visit"
        " https://stripe.com/docs/billing/subscriptions/payment-methods-setting"
        "#payment-method-priority.",
        code="resource_missing",
    )


@task("collect_invoice")
def collect_when_due(context: Context, invoice_id: str) -> None:
    """Collect an invoice that was finalized by hand."""
    invoice = context.fetch("invoice", invoice_id)
    if invoice["status"] == "open" and invoice["auto_advance"]:
        collect_automatically(context, invoice)


@task("retry_invoice")
def retry(context: Context, invoice_id: str) -> None:
    """Try again to collect, if nothing changed since this was planned."""
    invoice = context.fetch("invoice", invoice_id)
    if invoice["status"] == "open" and invoice["next_payment_attempt"] == context.now:
        counted = invoice["attempt_count"] + 1
        invoice = context.change(invoice, attempt_count=counted)
        collect_automatically(context, invoice)


@reaction("payment_intent.succeeded")
def _on_success(context: Context, intent: Json) -> None:
    invoice = _open_invoice_of(context, intent)
    if invoice:
        context = context.following(invoice)
        close_payment(context, invoice, "paid")
        mark_paid(context, invoice, intent["amount_received"])


@reaction("payment_intent.payment_failed")
def _on_decline(context: Context, intent: Json) -> None:
    invoice = _open_invoice_of(context, intent)
    if invoice:
        error = intent["last_payment_error"]
        if {error.get("decline_code"), error["code"]} & _HARD_DECLINES:
            refused = error["payment_method"]["id"]
            context.store.note(invoice["id"], refused=refused)
        _note_attempt(context.following(invoice), invoice)


@reaction("payment_intent.requires_action")
def _on_challenge(context: Context, intent: Json) -> None:
    invoice = _open_invoice_of(context, intent)
    if invoice:
        context = context.following(invoice)
        _note_attempt(context, invoice, also="invoice.payment_action_required")


def _open_invoice_of(context: Context, intent: Json) -> Json | None:
    invoice_id = context.store.notes(intent["id"]).get("invoice")
    invoice = context.fetch("invoice", invoice_id) if invoice_id else None
    payable = invoice and invoice["status"] in ("open", "uncollectible")
    return invoice if payable else None


def _note_attempt(context: Context, invoice: Json, *, also: str = "") -> None:
    """Keep that an attempt failed. Only automatic ones count beyond the first."""
    count = max(invoice["attempt_count"], 1)
    planned = invoice["next_payment_attempt"] or 0
    if invoice["auto_advance"] and planned <= context.now:
        planned = retrying.next_attempt_at(context, count) or 0
        if planned:
            context.schedule("retry_invoice", invoice["id"], due_at=planned)
    failed = context.change(
        invoice,
        event="invoice.updated",
        attempt_count=count,
        attempted=True,
        next_payment_attempt=planned or None,
    )
    for event_type in filter(None, [also, "invoice.payment_failed"]):
        context.emit(event_type, failed)
