"""Charges: what an attempt to pay leaves behind, successful or not."""

from __future__ import annotations

from stripe_sandbox.cards import Decline
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.expansion import included
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.listing import Filter, list_of, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import not_in_the_sandbox
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.accounts import BUSINESS_NAME
from stripe_sandbox.resources.balance import book_charge
from stripe_sandbox.resources.fields import refuse_unsupported, updated

_UPDATES = frozenset({"description", "metadata", "receipt_email"})


@operation("GET", "/v1/charges/{charge}")
def retrieve(context: Context, params: Json, charge: str) -> Json:
    """Return a charge."""
    return context.fetch("charge", charge)


@operation("POST", "/v1/charges/{charge}")
def update(context: Context, params: Json, charge: str) -> Json:
    """Change what may be annotated on a charge."""
    refuse_unsupported("Charges", params, _UPDATES)
    before = context.fetch("charge", charge)
    values = updated(before, params, "description", "receipt_email")
    return context.change(before, event="charge.updated", **values)


@operation("GET", "/v1/charges")
def list_charges(context: Context, params: Json) -> Json:
    """List charges, newest first."""
    if "transfer_group" in params:
        raise not_in_the_sandbox("`transfer_group` in the list of charges")
    keep = Filter(
        customer=params.get("customer"), payment_intent=params.get("payment_intent")
    ).created(params.get("created"))
    return page(context, "charge", params, url="/v1/charges", keep=keep)


@included("charge", "refunds")
def refunds_of(context: Context, charge: Json) -> Json:
    """Return the refunds of a charge, newest first."""
    found = context.store.find("refund", charge=charge["id"])
    return list_of(found[::-1], url=f"/v1/charges/{charge['id']}/refunds")


def succeed(context: Context, intent: Json, method: Json) -> Json:
    """Keep a successful charge. Its balance transaction comes a moment later.

    Source: https://docs.stripe.com/payments/payment-intents/asynchronous-capture
    """
    outcome = {
        "amount_captured": intent["amount"],
        "captured": True,
        "outcome": _outcome(None),
        "paid": True,
        "status": "succeeded",
    }
    charge = _create(context, intent, method, outcome)
    # Scheduled first: what test cards bring about comes after the money is booked.
    context.schedule("settle_charge", charge["id"], due_at=context.now)
    context.emit("charge.succeeded", charge)
    return charge


def fail(context: Context, intent: Json, method: Json, decline: Decline) -> Json:
    """Keep a declined charge."""
    outcome = {
        "amount_captured": 0,
        "captured": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome(decline),
        "paid": False,
        "status": "failed",
    }
    charge = _create(context, intent, method, outcome)
    context.emit("charge.failed", charge)
    return charge


@task("settle_charge")
def settle(context: Context, charge_id: str) -> None:
    """Give a charge its balance transaction, as asynchronous capture does."""
    charge = context.fetch("charge", charge_id)
    method = context.fetch("payment_method", charge["payment_method"])
    card = payment_methods.card_of(context, method)
    booked = book_charge(context, charge, at_once=card.settles_at_once)
    context.change(charge, event="charge.updated", balance_transaction=booked["id"])


def _create(context: Context, intent: Json, method: Json, outcome: Json) -> Json:
    charge_id = new_id("ch")
    receipt = f"{context.base_url}/receipts/{charge_id}"
    return context.create(
        "charge",
        id=charge_id,
        amount=intent["amount"],
        amount_refunded=0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor=BUSINESS_NAME.upper(),
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        fraud_details={},
        metadata=intent["metadata"],
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(intent, method),
        radar_options={},
        receipt_email=intent["receipt_email"],
        receipt_url=receipt if outcome["paid"] else None,
        statement_descriptor=intent["statement_descriptor"],
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        **outcome,
    )


def _outcome(decline: Decline | None) -> Json:
    reason = decline and (decline.decline_code or decline.code)
    return {
        "advice_code": decline and decline.advice_code,
        "network_advice_code": None,
        "network_decline_code": decline and decline.network_decline_code,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 21,
        "seller_message": "The bank did not return any further details with this"
        " decline."
        if decline
        else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def _details(intent: Json, method: Json) -> Json:
    card = method["card"]
    copied = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint",
              "funding", "last4", "regulated_status", "wallet")  # fmt: skip
    unavailable = {"status": "unavailable"}
    return {
        "card": {name: card[name] for name in copied}
        | {
            "amount_authorized": intent["amount"],
            "authorization_code": None,
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": unavailable,
            "installments": None,
            "mandate": None,
            "multicapture": unavailable,
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": "651018951108867",
            "overcapture": unavailable
            | {"maximum_amount_capturable": intent["amount"]},
            "three_d_secure": None,
        },
        "type": "card",
    }
