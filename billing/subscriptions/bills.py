"""Bills for plans, and the pages where the first ones are paid.

A bill only goes forward: an old answer of Stripe's changes nothing. So a webhook, a
return page and the sweeper may all follow one. What it newly paid for is granted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from accounts import auditing
from billing import customers, stripe_gateway
from billing.changes import catching_up, upgrading
from billing.core.periods import Span
from billing.finance import bookings
from billing.models import Invoice, InvoiceStatus, Refund
from billing.plans import catalogue, ending, renewing, subscribing
from billing.purchases import settling
from billing.refunds import paying_debts
from billing.subscriptions import following, notices
from billing.subscriptions.following import Followed

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Subscription
    from billing.stripe_gateway import (
        CheckoutSession,
        StripeInvoice,
        StripeLine,
        StripeSubscription,
    )

log = structlog.get_logger(__name__)

_TOO_LATE = "The plan had ended before the bill was paid, so nothing was added."
# A bill is only ever followed forwards: an old answer may arrive late.
_FORWARDS = (
    InvoiceStatus.DRAFT,
    InvoiceStatus.OPEN,
    InvoiceStatus.UNCOLLECTIBLE,
    InvoiceStatus.VOID,
    InvoiceStatus.PAID,
)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice and the subscription that it is for, both as fetched."""

    invoice: StripeInvoice
    subscription: StripeSubscription | None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout page, and the first bill of a plan that was paid there."""

    session: CheckoutSession
    bill: Bill | None


def fetch_bill(invoice_id: str) -> Bill:
    """Return an invoice with its subscription.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    invoice = stripe_gateway.invoice(invoice_id)
    wanted = invoice.subscription_id
    return Bill(invoice, stripe_gateway.subscription(wanted) if wanted else None)


def fetch_checkout(session_id: str) -> Checkout:
    """Return a checkout page with what it led to.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    session = stripe_gateway.checkout_session(session_id)
    invoice_id = session.invoice_id if session.mode == "subscription" else ""
    return Checkout(session, fetch_bill(invoice_id) if invoice_id else None)


@transaction.atomic
def follow_checkout(checkout: Checkout, *, at: datetime) -> str:
    """Settle a purchase of blocks or a debt, or begin a plan that was paid.

    Raises:
        UnknownAccount, UnknownPrice, AnotherPlanLives: see there.
    """
    if checkout.session.mode != "subscription":
        paid = paying_debts.settle_as(checkout.session, at=at)
        return paid or settling.settle_as(checkout.session, at=at)
    bill = checkout.bill
    outcome = follow_invoice(bill, at=at) if bill else Followed.FOLLOWED
    customers.note_country(checkout.session)
    catching_up.settle_checkout(checkout.session, at=at)
    return outcome


@transaction.atomic
def follow_invoice(bill: Bill, *, at: datetime) -> str:
    """Record an invoice as far as it has come; what it newly paid for is granted.

    Raises:
        UnknownAccount, UnknownPrice, AnotherPlanLives: see there.

    Source: docs/rules.md R17, R23, R62, R63.
    """
    if bill.subscription is None or not bill.subscription.account:
        return Followed.NOT_OURS
    subscription = following.subscription_of(bill.subscription, at=at)
    invoice, before = _recorded(bill.invoice, subscription)
    if not subscription.ended_at:
        subscription.next_check_at = following.next_check(bill.subscription, at=at)
        subscription.save(update_fields=["next_check_at"])
    if _is_overdue(bill.invoice) and not invoice.failed_at:
        _note_failure(subscription, invoice, bill.invoice, at)
    if invoice.status == InvoiceStatus.VOID and before != InvoiceStatus.VOID:
        upgrading.drop_upgrade(invoice, bill.invoice, at=at)
    if invoice.status != InvoiceStatus.PAID:
        return Followed.FOLLOWED
    if before == InvoiceStatus.PAID:
        return Followed.KNOWN
    return _take_payment(subscription, invoice, bill.invoice, at)


def _recorded(
    fetched: StripeInvoice, subscription: Subscription
) -> tuple[Invoice, InvoiceStatus | None]:
    """Store an invoice; return it with the status that it had here before."""
    known = Invoice.objects.filter(stripe_invoice_id=fetched.id).first()
    before = InvoiceStatus(known.status) if known else None
    invoice = known or Invoice(
        stripe_invoice_id=fetched.id,
        account=subscription.account,
        subscription=subscription,
    )
    status = InvoiceStatus(fetched.status.upper())
    if before is None or _FORWARDS.index(status) >= _FORWARDS.index(before):
        invoice.status, invoice.number = status, fetched.number
        invoice.reason, invoice.currency = fetched.reason, fetched.currency
        invoice.net_cents, invoice.tax_cents = fetched.net_cents, fetched.tax_cents
        invoice.total_cents = fetched.total_cents
        invoice.due_cents = fetched.due_cents
        invoice.created_at = fetched.created_at
        invoice.paid_at = fetched.paid_at if status == InvoiceStatus.PAID else None
        invoice.stripe_payment_intent_id = fetched.payment_intent_id or None
        invoice.save()
    return invoice, before


def _is_overdue(fetched: StripeInvoice) -> bool:
    # A change of plan that cannot be paid leaves the plan as it is (R21).
    return fetched.has_failed and fetched.reason == "subscription_cycle"


def _note_failure(
    subscription: Subscription, invoice: Invoice, fetched: StripeInvoice, at: datetime
) -> None:
    invoice.failed_at = at
    invoice.save(update_fields=["failed_at"])
    notices.tell_overdue(subscription, invoice, fetched.hosted_url, at=at)


def _take_payment(
    subscription: Subscription, invoice: Invoice, fetched: StripeInvoice, at: datetime
) -> Followed:
    ended_at, paid_at = subscription.ended_at, fetched.paid_at or at
    if ended_at and paid_at > ended_at:
        _return_later(invoice, at)
        return Followed.PAID_TOO_LATE
    if not ended_at:
        ending.thaw_blocks(subscription, at=at)
    terms = _terms(fetched)
    credits = sum(
        _record_term(subscription, invoice, line, paid_at, at) for line in terms
    )
    upgraded_cents = upgrading.settle_upgrade(invoice, fetched, at=at)
    bookings.bill_paid(
        invoice,
        prepaid_cents=upgraded_cents + _cents(terms, with_credits=True),
        revenue_cents=_cents(terms, with_credits=False),
        at=at,
    )
    subscribing.push_terms(subscription.account_id, at=at)
    if credits:
        notices.tell_payment(subscription, invoice, credits, at=at)
    return Followed.PAID


def _return_later(invoice: Invoice, at: datetime) -> None:
    """Give the money of a bill back that should have been void by then (R64)."""
    log.error("paid_after_the_end", invoice=invoice.stripe_invoice_id)
    auditing.record(
        action="invoice.paid_too_late",
        actor="stripe",
        account=invoice.account,
        target=invoice.number or invoice.stripe_invoice_id,
        after={"cents": invoice.due_cents},
        reason=_TOO_LATE,
        at=at,
    )
    bookings.bill_returned(invoice, at=at)
    if invoice.due_cents <= 0 or not invoice.stripe_payment_intent_id:
        return  # No card was charged.
    # No network inside a transaction: the sweeper finds the refund due.
    Refund.objects.create(
        invoice=invoice,
        account=invoice.account,
        asked_key=f"return-invoice:{invoice.pk}",
        amount_cents=invoice.due_cents,
        currency=invoice.currency,
        takes_all_left=True,
        reason=_TOO_LATE,
        asked_at=at,
        next_check_at=at,
    )


def _terms(fetched: StripeInvoice) -> list[StripeLine]:
    """Return the lines that sell a term, each at what was really paid for it.

    A trial's term is not sold, so it grants nothing (R41); one that a coupon pays for
    is (R40). What the old term gives back pays for the new one: so all costs of grants
    add up to all money (R30, R100).
    """
    sold = [
        line
        for line in fetched.lines
        if not line.is_proration
        and line.list_cents
        and catalogue.version_of_price(line.lookup_key)
    ]
    prorated = sum(line.net_cents for line in fetched.lines if line.is_proration)
    return [replace(line, net_cents=max(0, line.net_cents + prorated)) for line in sold]


def _cents(terms: list[StripeLine], *, with_credits: bool) -> int:
    """Return what was paid for terms of plans with credits, or for those without."""
    sold = [(line, catalogue.version_of_price(line.lookup_key)) for line in terms]
    return sum(
        line.net_cents
        for line, found in sold
        if found and bool(found[0].cycle_credits) is with_credits
    )


def _record_term(
    subscription: Subscription,
    invoice: Invoice,
    line: StripeLine,
    paid_at: datetime,
    at: datetime,
) -> int:
    """Record the term that a line pays for; return the credits of one of its months."""
    version, interval = following.plan_and_interval(line.lookup_key)
    months = renewing.record_paid_term(
        subscription,
        version=version,
        interval=interval,
        paid=Span(line.starts_at, line.ends_at),
        net_cents=line.net_cents,
        paid_at=paid_at,
        at=at,
        invoice=invoice,
    )
    return version.cycle_credits if months else 0
