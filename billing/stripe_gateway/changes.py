"""Changes of plan at Stripe: previewed, made, scheduled, taken back. Amounts are cents.

Money is Stripe's to compute: a preview and the change that follows name the same
instant of proration, so that what was shown is what is charged (R21, R37).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.checkout import CheckoutSession, read_session
from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.invoices import StripeLine, read_line
from billing.stripe_gateway.reading import id_of, noted

if TYPE_CHECKING:
    from datetime import datetime

    from stripe.params import (
        InvoiceCreatePreviewParams,
        InvoiceCreatePreviewParamsInvoiceItem,
    )


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a move gives back instead of the time that is left: one negative line."""

    customer_id: str
    currency: str
    cents: int
    description: str


@dataclass(frozen=True, slots=True)
class PriceMove:
    """A subscription's one item, the price that it is to have, and from when on.

    Without `given_back` Stripe gives back the time that is left of the old price.
    """

    subscription_id: str
    item_id: str
    price_id: str
    prorated_at: datetime
    given_back: GivenBack | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """What a change would be charged at once, line by line, after earlier credit."""

    currency: str
    due_cents: int
    total_cents: int
    lines: tuple[StripeLine, ...]


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """What a checkout page for a plan sells, to whom, and the ways back from it."""

    change: str
    account: str
    customer_id: str
    price_id: str
    expires_at: datetime
    success_url: str
    cancel_url: str


def preview_move(move: PriceMove) -> Bill:
    """Return what moving a subscription to another price would be charged now.

    Raises:
        StripeUnavailable: ask again.
    """
    params: InvoiceCreatePreviewParams = {
        "subscription": move.subscription_id,
        "subscription_details": {
            "items": [{"id": move.item_id, "price": move.price_id}],
            "proration_behavior": "always_invoice",
            "proration_date": int(move.prorated_at.timestamp()),
        },
    }
    if given := move.given_back:
        params["subscription_details"]["proration_behavior"] = "none"
        params["invoice_items"] = _lines(given)
    with translated_errors():
        found = client().v1.invoices.create_preview(params)
    return Bill(
        currency=found.currency,
        due_cents=found.amount_due,
        total_cents=found.total,
        lines=tuple(read_line(line) for line in found.lines.data),
    )


def move_price(move: PriceMove, *, key: str) -> str:
    """Move a subscription to another price if that is paid; charge it now.

    Without the payment the old price stays, and the change waits as pending. Returns
    the id of the latest bill: the one for the change, if there is anything to pay.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        moved = client().v1.subscriptions.update(
            move.subscription_id,
            {
                # With the item's id the price is replaced, without it one is added.
                "items": [{"id": move.item_id, "price": move.price_id}],
                "proration_behavior": "none" if move.given_back else "always_invoice",
                "proration_date": int(move.prorated_at.timestamp()),
                "payment_behavior": "pending_if_incomplete",
            },
            {"idempotency_key": key},
        )
    return id_of(moved.latest_invoice)


def give_back(move: PriceMove, *, change: str, key: str) -> None:
    """Let the bill of a move begin with what it gives back; once for each change.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    given = move.given_back
    if given is None or not given.cents:
        return
    # A key lives for a day only, and what waits is on the next bill, whichever it is.
    if not _waiting(given.customer_id, change):
        with translated_errors():
            client().v1.invoice_items.create(
                {
                    "customer": given.customer_id,
                    "subscription": move.subscription_id,
                    "metadata": {"change": change},
                    "amount": -given.cents,
                    "currency": given.currency,
                    "description": given.description,
                    "discountable": False,
                },
                {"idempotency_key": f"{key}:return"},
            )


def keep_back(customer_id: str, *, change: str) -> None:
    """Take back what a change that is not made was to give back.

    Raises:
        StripeUnavailable: ask again.
    """
    for item_id in _waiting(customer_id, change):
        with translated_errors():
            client().v1.invoice_items.delete(item_id)


def end_with_term(subscription_id: str, *, comment: str, key: str) -> None:
    """Let a subscription end with its paid term (R58).

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        client().v1.subscriptions.update(
            subscription_id,
            {
                "cancel_at_period_end": True,
                "cancellation_details": {"comment": comment},
            },
            {"idempotency_key": key},
        )


def end_now(subscription_id: str, *, comment: str, key: str) -> None:
    """End a subscription whose term is not paid, without a charge (R38).

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        client().v1.subscriptions.cancel(
            subscription_id,
            {"cancellation_details": {"comment": comment}},
            {"idempotency_key": key},
        )


def go_on(subscription_id: str, *, key: str) -> None:
    """Let a subscription go on that was to end with its term (R59).

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        client().v1.subscriptions.update(
            subscription_id, {"cancel_at_period_end": False}, {"idempotency_key": key}
        )


def open_plan_checkout(order: PlanOrder, *, key: str) -> CheckoutSession:
    """Open a checkout page for a plan, or return the one that this key opened before.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    metadata = {"change": order.change, "account": order.account}
    with translated_errors():
        session = client().v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": order.customer_id,
                "client_reference_id": order.account,
                "line_items": [{"price": order.price_id, "quantity": 1}],
                # A session's metadata does not reach its subscription: said twice.
                "metadata": metadata,
                "subscription_data": {"metadata": metadata},
                "allowed_payment_method_types": ["card"],
                "expires_at": int(order.expires_at.timestamp()),
                "success_url": order.success_url,
                "cancel_url": order.cancel_url,
            },
            {"idempotency_key": key},
        )
    return read_session(session, ())


def _lines(given: GivenBack) -> list[InvoiceCreatePreviewParamsInvoiceItem]:
    if not given.cents:
        return []
    return [
        {
            "amount": -given.cents,
            "currency": given.currency,
            "description": given.description,
            "discountable": False,
        }
    ]


def _waiting(customer_id: str, change: str) -> list[str]:
    with translated_errors():
        found = client().v1.invoice_items.list(
            {"customer": customer_id, "pending": True, "limit": 100}
        )
    return [
        item.id
        for item in found.data
        if item.metadata and noted(item.metadata, "change") == change
    ]


def close_checkout(session_id: str) -> None:
    """Make an open checkout page one where nobody can pay; one that is over stays so.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors(), suppress(stripe.InvalidRequestError):
        client().v1.checkout.sessions.expire(session_id)
