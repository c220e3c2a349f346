"""Ids, Stripe's and ours, and the pages of the console that they name.

One indexed lookup each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from accounts.models import Account
from billing.models import (
    Adjustment,
    Break,
    BulkFile,
    Customer,
    DebtPayment,
    Dispute,
    FraudWarning,
    Invoice,
    MakeGood,
    Purchase,
    Refund,
    Subscription,
    WebhookEvent,
    WebhookSubject,
    WorkItem,
)
from credits.models import Hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

    Paid = Purchase | Invoice | DebtPayment


def page_of(text: str) -> str:
    """Return the address of the page of the one thing that an id names; "": none.

    The number of a bill counts as its id. What is known here only from what Stripe
    told of it leads to the inbox.
    """
    prefix, is_id, _ = text.partition("_")
    find = _BY_PREFIX.get(prefix) if is_id else None
    return (find(text) if find else "") or _numbered(text) or _told(text)


def payment_url(paid: Paid) -> str:
    """Return the page of a payment; before it was paid, where it stands in time."""
    if paid.paid_at and paid.stripe_payment_intent_id:
        return reverse("billing:staff_payment", args=[paid.stripe_payment_intent_id])
    return timeline_url(paid.account, "PAYMENTS")


def timeline_url(account: Account, family: str, *, job: str = "") -> str:
    """Return an account's timeline with one family in it, or the movements of a job."""
    url = reverse("billing:staff_timeline", args=[account.public_id])
    return f"{url}?family={family}" + (f"&job={job}" if job else "")


def search_url(text: str) -> str:
    """Return what leads to the thing that an id names once it is asked for; "": no id.

    For lists, which cannot look each of their ids up.
    """
    prefix, is_id, rest = text.partition("_")
    if not is_id or prefix not in _BY_PREFIX or not rest.isalnum():
        return ""
    return f"{reverse('billing:staff_accounts')}?q={text}"


def inbox_url(stripe_id: str) -> str:
    """Return where the inbox lists what Stripe told of one of its objects."""
    return f"{reverse('billing:staff_inbox')}?named={stripe_id}"


def _account(text: str) -> str:
    return _page(Account.objects.filter(public_id=text).first())


def _customer(text: str) -> str:
    customers = Customer.objects.select_related("account")
    found = customers.filter(stripe_customer_id=text).first()
    return _page(found.account if found else None)


def _subscription(text: str) -> str:
    plans = Subscription.objects.select_related("account")
    found = plans.filter(stripe_subscription_id=text).first()
    return _page(found.account if found else None)


def _page(account: Account | None) -> str:
    return reverse("billing:staff_account", args=[account.public_id]) if account else ""


def _invoice(text: str) -> str:
    return _paid(Invoice.objects.filter(stripe_invoice_id=text).first())


def _numbered(text: str) -> str:
    """Return the page of a bill, by the number that is printed on it."""
    return _paid(Invoice.objects.filter(number__in={text, text.upper()}).first())


def _payment(text: str) -> str:
    for model in (Purchase, Invoice, DebtPayment):
        if found := model.objects.filter(stripe_payment_intent_id=text).first():
            return payment_url(found)
    return ""


def _session(text: str) -> str:
    bought = Purchase.objects.filter(stripe_session_id=text).first()
    return _paid(bought or DebtPayment.objects.filter(stripe_session_id=text).first())


def _purchase(text: str) -> str:
    return _paid(Purchase.objects.filter(public_id=text).first())


def _debt_payment(text: str) -> str:
    return _paid(DebtPayment.objects.filter(public_id=text).first())


def _paid(found: Paid | None) -> str:
    return payment_url(found) if found else ""


def _refund(text: str) -> str:
    named = {"public_id" if text.startswith("ref_") else "stripe_refund_id": text}
    found = Refund.objects.filter(**named).first()
    return payment_url(found.row) if found else ""


def _dispute(text: str) -> str:
    found = Dispute.objects.filter(stripe_dispute_id=text).first()
    return reverse("billing:staff_dispute", args=[found.pk]) if found else ""


def _warning(text: str) -> str:
    found = FraudWarning.objects.filter(stripe_warning_id=text).first()
    return reverse("billing:staff_warning", args=[found.pk]) if found else ""


def _hold(text: str) -> str:
    holds = Hold.objects.select_related("wallet__account")
    found = holds.filter(public_id=text).first()
    return timeline_url(found.wallet.account, "LEDGER", job=text) if found else ""


def _our(model: type[Model], page: str) -> Callable[[str], str]:
    """Return what finds a row of ours by its public id, and leads to its page."""

    def find(text: str) -> str:
        is_there = model._default_manager.filter(public_id=text).exists()
        return reverse(page, args=[text]) if is_there else ""

    return find


def _told(text: str) -> str:
    told = WebhookSubject.objects.filter(stripe_object_id=text).first()
    if told is None and text.startswith("evt_"):
        event = WebhookEvent.objects.select_related("subject").filter(stripe_id=text)
        told = next((one.subject for one in event), None)
    return reverse("billing:staff_inbox_subject", args=[told.pk]) if told else ""


_BY_PREFIX: dict[str, Callable[[str], str]] = {
    "acc": _account,
    "cus": _customer,
    "sub": _subscription,
    "in": _invoice,
    "pi": _payment,
    "cs": _session,
    "re": _refund,
    "pyr": _refund,
    "dp": _dispute,
    "du": _dispute,
    "issfr": _warning,
    "pur": _purchase,
    "dpy": _debt_payment,
    "ref": _refund,
    "hld": _hold,
    "brk": _our(Break, "billing:staff_break"),
    "wrk": _our(WorkItem, "billing:staff_work"),
    "adj": _our(Adjustment, "billing:staff_adjustment"),
    "bulk": _our(BulkFile, "billing:staff_bulk_file"),
    "mg": _our(MakeGood, "billing:staff_make_good"),
}
