"""The balance and the transactions it is made of."""

from __future__ import annotations

from stripe_sandbox.contract.objects import fill
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import not_in_the_sandbox

_DAY_S = 86_400
_DAYS_TO_SETTLE = 2
_FEE_PER_MILLE = 29
_FEE_FIXED_CENTS = 30
_DISPUTE_FEE_CENTS = 1500
# What has no type of its own among the movements of the balance.
_ADJUSTMENTS = frozenset({"dispute", "dispute_reversal"})


@operation("GET", "/v1/balance")
def retrieve(context: Context, params: Json) -> Json:
    """Return what is available and what is pending."""
    transactions = [
        _current(context, each)
        for each in context.store.find("balance_transaction", currency="usd")
    ]
    sums = {
        status: sum(each["net"] for each in transactions if each["status"] == status)
        for status in ("available", "pending")
    }
    return fill("balance", {name: [_money(net)] for name, net in sums.items()})


@operation("GET", "/v1/balance_transactions/{id}")
def retrieve_transaction(context: Context, params: Json, id: str) -> Json:  # noqa: A002
    """Return one movement of money."""
    return _current(context, context.fetch("balance_transaction", id))


@operation("GET", "/v1/balance_transactions")
def list_transactions(context: Context, params: Json) -> Json:
    """List movements of money, newest first."""
    if "payout" in params:
        raise not_in_the_sandbox("`payout` in the list of balance transactions")
    keep = Filter(
        currency=params.get("currency"),
        source=params.get("source"),
        type=params.get("type"),
    ).created(params.get("created"))
    found = page(
        context,
        "balance_transaction",
        params,
        url="/v1/balance_transactions",
        keep=keep,
    )
    return found | {"data": [_current(context, each) for each in found["data"]]}


def book_charge(context: Context, charge: Json, *, at_once: bool) -> Json:
    """Book a charge less its fee; funds arrive two days later, or `at_once`."""
    fee = fee_cents(charge["amount"])
    days = 0 if at_once else _DAYS_TO_SETTLE
    return _book(
        context,
        "charge",
        charge,
        amount=charge["amount"],
        fee=fee,
        available_on=(context.now // _DAY_S + days) * _DAY_S,
    )


def book_refund(context: Context, refund: Json) -> Json:
    """Book a refund; the fee of the charge stays lost."""
    return _book(
        context,
        "refund",
        refund,
        amount=-refund["amount"],
        fee=0,
        available_on=context.now,
    )


def book_failed_refund(context: Context, refund: Json) -> Json:
    """Book the return of a refund that failed."""
    return _book(
        context,
        "refund_failure",
        refund,
        amount=refund["amount"],
        fee=0,
        available_on=context.now,
    )


def book_dispute(context: Context, dispute: Json) -> Json:
    """Book what a dispute takes: the amount, and its own fee."""
    return _book(
        context,
        "dispute",
        dispute | {"description": f"Chargeback withdrawal for {dispute['charge']}"},
        amount=-dispute["amount"],
        fee=_DISPUTE_FEE_CENTS,
        available_on=context.now,
    )


def book_reinstatement(context: Context, dispute: Json) -> Json:
    """Book the return of a disputed amount; the fee of the dispute stays lost."""
    return _book(
        context,
        "dispute_reversal",
        dispute | {"description": f"Chargeback reversal for {dispute['charge']}"},
        amount=dispute["amount"],
        fee=0,
        available_on=context.now,
    )


def fee_cents(amount: int) -> int:
    """Return Stripe's fee on a card payment: 2.9% + 30¢, half a cent rounded up."""
    return (amount * _FEE_PER_MILLE + 500) // 1000 + _FEE_FIXED_CENTS


def _book(
    context: Context,
    category: str,
    source: Json,
    *,
    amount: int,
    fee: int,
    available_on: int,
) -> Json:
    return context.create(
        "balance_transaction",
        amount=amount,
        available_on=available_on,
        balance_type="payments",
        currency=source["currency"],
        description=source.get("description"),
        fee=fee,
        fee_details=[_fee(category, fee, source["currency"])] if fee else [],
        net=amount - fee,
        reporting_category=category,
        source=source["id"],
        status="pending",
        type="adjustment" if category in _ADJUSTMENTS else category,
    )


def _fee(category: str, fee: int, currency: str) -> Json:
    disputed = category in _ADJUSTMENTS
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Dispute fee" if disputed else "Stripe processing fees",
        "type": "stripe_fee",
    }


def _current(context: Context, transaction: Json) -> Json:
    available = transaction["available_on"] <= context.now
    return transaction | {"status": "available" if available else "pending"}


def _money(amount: int) -> Json:
    return {"amount": amount, "currency": "usd", "source_types": {"card": amount}}
