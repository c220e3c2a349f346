"""A dispute's way from the bank's letter to its end, and what it does to the balance.

Source: https://docs.stripe.com/disputes/how-disputes-work
"""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox.cards import Dispute
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.reactions import reaction
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import payment_methods
from stripe_sandbox.resources.balance import book_dispute, book_reinstatement

_DAY_S = 86_400
_DAYS_TO_ANSWER = 9
_DAYS_OF_AN_INQUIRY = 120
OPEN = ("needs_response", "under_review")
CHARGED_BACK = (*OPEN, "lost")
INQUIRIES = ("warning_needs_response", "warning_under_review")


@dataclass(frozen=True, slots=True)
class _Case:
    """How the bank words a kind of dispute."""

    reason: str
    network_reason_code: str
    inquiry: bool = False


_CASES: dict[Dispute, _Case] = {
    "fraudulent": _Case("fraudulent", "10.4"),
    "product_not_received": _Case("product_not_received", "13.1"),
    "inquiry": _Case("fraudulent", "10.4", inquiry=True),
}


def dispute(context: Context, charge: Json, kind: Dispute, *, cents: int = 0) -> Json:
    """Let the cardholder's bank dispute a charge; an inquiry takes no money yet.

    Banks ask for what was not refunded, or for as many `cents`.

    Raises:
        ApiError: the charge did not succeed, or a dispute of it is not over.
    """
    _check(context, charge)
    case = _CASES[kind]
    opened = context.create(
        "dispute",
        amount=cents or charge["amount"] - charge["amount_refunded"],
        charge=charge["id"],
        currency=charge["currency"],
        evidence_details={
            "due_by": context.now + _DAYS_TO_ANSWER * _DAY_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=case.inquiry,
        network_reason_code=case.network_reason_code,
        payment_intent=charge["payment_intent"],
        payment_method_details=_card_details(charge, case),
        reason=case.reason,
        status="warning_needs_response" if case.inquiry else "needs_response",
    )
    context.change(charge, disputed=True)
    withdrawn = opened if case.inquiry else _withdraw(context, opened)
    context.emit("charge.dispute.created", withdrawn)
    if not case.inquiry:
        context.emit("charge.dispute.funds_withdrawn", withdrawn)
    days = _DAYS_OF_AN_INQUIRY if case.inquiry else _DAYS_TO_ANSWER
    context.schedule("end_of_dispute", opened["id"], due_at=context.now + days * _DAY_S)
    return withdrawn


def escalate(context: Context, inquiry: Json) -> Json:
    """Let the bank turn an inquiry into a chargeback: now the money goes.

    Raises:
        ApiError: it is no open inquiry.
    """
    _check_status(inquiry, INQUIRIES)
    due_by = context.now + _DAYS_TO_ANSWER * _DAY_S
    escalated = context.change(
        _withdraw(context, inquiry),
        event="charge.dispute.updated",
        evidence_details=inquiry["evidence_details"] | {"due_by": due_by},
        is_charge_refundable=False,
        status="needs_response",
    )
    context.emit("charge.dispute.funds_withdrawn", escalated)
    context.schedule("end_of_dispute", inquiry["id"], due_at=due_by)
    return escalated


def win(context: Context, disputed: Json) -> Json:
    """Decide for the merchant: the money comes back, the fee does not.

    Raises:
        ApiError: it is decided already.
    """
    _check_status(disputed, OPEN + INQUIRIES)
    if disputed["status"] in INQUIRIES:
        return _close(context, disputed, "warning_closed")
    booked = book_reinstatement(context, disputed)
    won = context.change(
        disputed,
        balance_transactions=[*disputed["balance_transactions"], booked],
        is_charge_refundable=True,
        status="won",
    )
    context.emit("charge.dispute.funds_reinstated", won)
    context.emit("charge.dispute.closed", won)
    return won


def lose(context: Context, disputed: Json) -> Json:
    """Decide for the cardholder, or give in.

    Raises:
        ApiError: it is decided already.
    """
    _check_status(disputed, OPEN + INQUIRIES)
    inquiry = disputed["status"] in INQUIRIES
    return _close(context, disputed, "warning_closed" if inquiry else "lost")


def against(context: Context, charge: Json) -> list[Json]:
    """Return the disputes of a charge, oldest first."""
    return context.store.find("dispute", charge=charge["id"])


@task("end_of_dispute")
def end(context: Context, dispute_id: str) -> None:
    """An unanswered chargeback is lost at its deadline; an inquiry just ends."""
    disputed = context.fetch("dispute", dispute_id)
    too_early = context.now < disputed["evidence_details"]["due_by"]
    if disputed["status"] in ("needs_response", *INQUIRIES) and not too_early:
        lose(context, disputed)


@reaction("charge.refunded")
def settle_inquiry(context: Context, charge: Json) -> None:
    """A customer who has all the money back has nothing more to ask."""
    for disputed in against(context, charge) if charge["refunded"] else []:
        if disputed["status"] in INQUIRIES:
            _close(context, disputed, "warning_closed")


@reaction("charge.succeeded")
def expect(context: Context, charge: Json) -> None:
    """Some test cards are disputed as soon as they are charged."""
    if _kind_of(context, charge):
        context.schedule("dispute_charge", charge["id"], due_at=context.now)


@task("dispute_charge")
def dispute_as_the_card_says(context: Context, charge_id: str) -> None:
    """Open the dispute that the test card stands for."""
    charge = context.fetch("charge", charge_id)
    if kind := _kind_of(context, charge):
        dispute(context, charge, kind)


def _kind_of(context: Context, charge: Json) -> Dispute | None:
    method = context.fetch("payment_method", charge["payment_method"])
    return payment_methods.card_of(context, method).dispute


def _check(context: Context, charge: Json) -> None:
    if charge["status"] != "succeeded" or charge["refunded"]:
        raise ApiError(f"Charge {charge['id']} holds no money to dispute.")
    if any(each["status"] != "warning_closed" for each in against(context, charge)):
        raise ApiError(f"Charge {charge['id']} is disputed already.")


def _check_status(disputed: Json, allowed: tuple[str, ...]) -> None:
    if disputed["status"] not in allowed:
        raise ApiError(
            f"This dispute has a status of {disputed['status']}; nothing is left to be"
            " decided."
        )


def _withdraw(context: Context, disputed: Json) -> Json:
    booked = book_dispute(context, disputed)
    return context.change(disputed, balance_transactions=[booked])


def _close(context: Context, disputed: Json, status: str) -> Json:
    closed = context.change(disputed, is_charge_refundable=False, status=status)
    context.emit("charge.dispute.closed", closed)
    return closed


def _card_details(charge: Json, case: _Case) -> Json:
    return {
        "card": {
            "brand": charge["payment_method_details"]["card"]["brand"],
            "case_type": "inquiry" if case.inquiry else "chargeback",
            "network_reason_code": case.network_reason_code,
        },
        "type": "card",
    }
