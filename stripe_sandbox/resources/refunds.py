"""Refunds of charges."""

from __future__ import annotations

from stripe_sandbox import disputing
from stripe_sandbox.cards import Refunding
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.balance import book_failed_refund, book_refund
from stripe_sandbox.resources.fields import (
    dollars,
    metadata,
    refuse_unsupported,
    updated,
)

_SUPPORTED = frozenset({"amount", "charge", "metadata", "payment_intent", "reason"})
_BANK_ANSWERS_AFTER_S = 300


@operation("POST", "/v1/refunds")
def create(context: Context, params: Json) -> Json:
    """Refund a charge, wholly or in part."""
    refuse_unsupported("Refunds", params, _SUPPORTED)
    charge = _charge_of(context, params)
    _check_disputes(context, charge)
    amount = _amount(charge, params)
    method = context.fetch("payment_method", charge["payment_method"])
    refunding = payment_methods.card_of(context, method).refunding
    refund = context.create(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details=_DESTINATION,
        metadata=metadata(params.get("metadata")),
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        status="pending" if refunding == "later" else "succeeded",
    )
    booked = book_refund(context, refund)
    refund = context.change(refund, balance_transaction=booked["id"])
    _mark_charge(context, charge, amount)
    context.emit("refund.created", refund)
    _expect_bank(context, refund, refunding)
    return refund


@operation("GET", "/v1/refunds/{refund}")
def retrieve(context: Context, params: Json, refund: str) -> Json:
    """Return a refund."""
    return context.fetch("refund", refund)


@operation("POST", "/v1/refunds/{refund}")
def update(context: Context, params: Json, refund: str) -> Json:
    """Change the metadata of a refund."""
    before = context.fetch("refund", refund)
    return _change(context, before, **updated(before, params))


@operation("GET", "/v1/refunds")
def list_refunds(context: Context, params: Json) -> Json:
    """List refunds, newest first."""
    keep = Filter(
        charge=params.get("charge"), payment_intent=params.get("payment_intent")
    ).created(params.get("created"))
    return page(context, "refund", params, url="/v1/refunds", keep=keep)


@task("finish_refund")
def finish(context: Context, refund_id: str) -> None:
    """Let a pending refund arrive."""
    _change(context, context.fetch("refund", refund_id), status="succeeded")


@task("fail_refund")
def fail(context: Context, refund_id: str) -> None:
    """Let the bank send a refund back: the money returns to the balance."""
    refund = context.fetch("refund", refund_id)
    booked = book_failed_refund(context, refund)
    failed = _change(
        context,
        refund,
        failure_balance_transaction=booked["id"],
        failure_reason="expired_or_canceled_card",
        status="failed",
    )
    context.emit("refund.failed", failed)


_DESTINATION = {
    "card": {
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    },
    "type": "card",
}


def _charge_of(context: Context, params: Json) -> Json:
    if "charge" in params:
        return context.fetch("charge", params["charge"], param="charge")
    if "payment_intent" not in params:
        raise ApiError(
            "One of the following params should be provided for this request:"
            " payment_intent or charge.",
            code="parameter_missing",
        )
    intent = context.fetch(
        "payment_intent", params["payment_intent"], param="payment_intent"
    )
    if intent["status"] != "succeeded":
        raise ApiError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to"
            " refund.",
            param="payment_intent",
        )
    return context.fetch("charge", intent["latest_charge"])


def _check_disputes(context: Context, charge: Json) -> None:
    """What the bank has taken cannot be given back a second time."""
    if any(
        d["status"] in disputing.CHARGED_BACK
        for d in disputing.against(context, charge)
    ):
        raise ApiError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )


def _amount(charge: Json, params: Json) -> int:
    left = _left_on(charge)
    amount: int = params.get("amount", left)
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        partly = charge["amount_refunded"] > 0
        noun = "unrefunded amount on charge" if partly else "charge amount"
        raise ApiError(
            f"Refund amount ({dollars(amount)}) is greater than {noun}"
            f" ({dollars(left)})",
            param="amount",
        )
    return amount


def _left_on(charge: Json) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise ApiError(
            f"Charge {charge['id']} was not successful and cannot be refunded."
        )
    if not left:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
        )
    return left


def _mark_charge(context: Context, charge: Json, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    context.change(
        charge,
        event="charge.refunded",
        amount_refunded=refunded,
        refunded=refunded == charge["amount"],
    )


def _expect_bank(context: Context, refund: Json, refunding: Refunding) -> None:
    tasks = {"later": "finish_refund", "fails_later": "fail_refund"}
    if refunding in tasks:
        due_at = context.now + _BANK_ANSWERS_AFTER_S
        context.schedule(tasks[refunding], refund["id"], due_at=due_at)


def _change(context: Context, refund: Json, **values: object) -> Json:
    """Changes of a refund are told twice: under its own name and the charge's."""
    new = context.change(refund, event="refund.updated", **values)
    if new != refund:
        context.change(refund, event="charge.refund.updated", **values)
    return new
