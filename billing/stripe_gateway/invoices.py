"""Bills for plans, as Stripe says they stand. Amounts are cents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import expanded, id_of, instant

if TYPE_CHECKING:
    from datetime import datetime

_SAID = 100


@dataclass(frozen=True, slots=True)
class StripeLine:
    """One line of a bill: so much for a price over a period.

    `net_cents` is less discounts and without tax; what a proration gives back is
    negative. `list_cents` is before both: nothing for the term of a trial.
    """

    price_id: str
    lookup_key: str
    description: str
    starts_at: datetime
    ends_at: datetime
    is_proration: bool
    list_cents: int
    net_cents: int


@dataclass(frozen=True, slots=True)
class StripeInvoice:
    """A bill with all its lines. `status` and `reason` are Stripe's own words.

    `due_cents` is the total less the customer's credit, `payment_intent_id` what it
    was paid with once it is. `has_failed` says that a payment was tried and is still
    missing. Both addresses end after some weeks.
    """

    id: str
    number: str
    status: str
    reason: str
    subscription_id: str
    currency: str
    net_cents: int
    tax_cents: int
    total_cents: int
    due_cents: int
    created_at: datetime
    paid_at: datetime | None
    has_failed: bool
    payment_intent_id: str
    hosted_url: str
    pdf_url: str
    lines: tuple[StripeLine, ...]


def invoice(invoice_id: str) -> StripeInvoice:
    """Return a bill with its lines.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    invoices = client().v1.invoices
    with translated_errors():
        found = invoices.retrieve(invoice_id, {"expand": ["payments"]})
        # The bill itself carries but its first lines, and no lookup keys.
        lines = invoices.line_items.list(
            invoice_id,
            {"limit": _SAID, "expand": ["data.pricing.price_details.price"]},
        )
    return _read(found, tuple(read_line(line) for line in lines.data))


def invoice_ids_of(subscription_id: str) -> list[str]:
    """Return the ids of a subscription's latest bills, newest first.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.invoices.list(
            {"subscription": subscription_id, "limit": _SAID}
        )
    return [one.id for one in found.data]


def void_invoice(invoice_id: str, *, key: str) -> None:
    """Make an open bill one that nobody can pay any more (R64).

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        client().v1.invoices.void_invoice(invoice_id, {}, {"idempotency_key": key})


def read_line(line: stripe.InvoiceLineItem) -> StripeLine:
    """Return what matters here of a line: its lookup key if the price is expanded."""
    details = line.pricing and line.pricing.price_details
    price = details and details.price
    known = expanded(price, stripe.Price)
    return StripeLine(
        price_id=id_of(price),
        lookup_key=(known and known.lookup_key) or "",
        description=line.description or "",
        starts_at=instant(line.period.start),
        ends_at=instant(line.period.end),
        is_proration=_is_proration(line),
        list_cents=line.amount,
        net_cents=line.amount - _discounts(line) - _included_taxes(line),
    )


def _read(found: stripe.Invoice, lines: tuple[StripeLine, ...]) -> StripeInvoice:
    tax_cents = sum(tax.amount for tax in found.total_taxes or [])
    transitions = found.status_transitions
    return StripeInvoice(
        id=found.id,
        number=found.number or "",
        status=found.status or "",
        reason=found.billing_reason or "",
        subscription_id=_subscription_id(found),
        currency=found.currency,
        net_cents=found.total - tax_cents,
        tax_cents=tax_cents,
        total_cents=found.total,
        due_cents=found.amount_due,
        created_at=instant(found.created),
        paid_at=instant(transitions.paid_at),
        has_failed=found.status == "open" and found.attempted,
        payment_intent_id=_payment_intent_id(found),
        hosted_url=found.hosted_invoice_url or "",
        pdf_url=found.invoice_pdf or "",
        lines=lines,
    )


def _subscription_id(found: stripe.Invoice) -> str:
    details = found.parent and found.parent.subscription_details
    return id_of(details.subscription) if details else ""


def _payment_intent_id(found: stripe.Invoice) -> str:
    """Return what paid it; nothing if credit did, or nobody yet."""
    payments = found.payments.data if found.payments else []
    paid = [each.payment for each in payments if each.status == "paid"]
    return next((id_of(one.payment_intent) for one in paid if one.payment_intent), "")


def _is_proration(line: stripe.InvoiceLineItem) -> bool:
    parent = line.parent
    details = parent and (
        parent.subscription_item_details or parent.invoice_item_details
    )
    return bool(details and details.proration)


def _discounts(line: stripe.InvoiceLineItem) -> int:
    return sum(discount.amount for discount in line.discount_amounts or [])


def _included_taxes(line: stripe.InvoiceLineItem) -> int:
    return sum(t.amount for t in line.taxes or [] if t.tax_behavior == "inclusive")
