"""What the refund desk and the account pages of the staff console show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, IntegerField, Q, Value, When

from accounts.models import Account
from billing import debts, refund_figures, subscribing
from billing.core.refunds import unspent_cents
from billing.models import Invoice, Purchase, Refund, RefundState
from credits import statements
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.refunds import Paid
    from billing.debts import Owed
    from billing.models import Subscription
    from billing.payments import Payment
    from credits.statements import Balance

LEVELS = {
    RefundState.ASKED: "info",
    RefundState.PENDING: "info",
    RefundState.DONE: "success",
    RefundState.FAILED: "danger",
}


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as staff see it: what is left of it, and what went back."""

    payment: Payment
    paid: Paid
    unspent_cents: int
    refunds: tuple[Refund, ...]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as staff see it."""

    account: Account
    subscription: Subscription | None
    balance: Balance | None
    owed: Owed | None
    purchases: tuple[Purchase, ...]
    invoices: tuple[Invoice, ...]


def refunds(*, limit: int) -> list[Refund]:
    """Return refunds, those that failed first, then the newest."""
    is_failed = Case(
        When(state=RefundState.FAILED, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    listed = Refund.objects.select_related(
        "account", "purchase", "invoice", "debt_payment", "requested_by"
    )
    return list(listed.order_by(is_failed, "-asked_at", "-pk")[:limit])


def waiting(_at: datetime) -> int:
    """Return how many refunds failed, so that the money has to go back otherwise."""
    return Refund.objects.filter(state=RefundState.FAILED).count()


def payment_view(payment: Payment) -> PaymentView:
    """Return what staff are shown of a payment."""
    paid = refund_figures.paid_by(payment)
    made = Refund.objects.filter(**payment.row).select_related("requested_by")
    return PaymentView(
        payment=payment,
        paid=paid,
        unspent_cents=unspent_cents(paid),
        refunds=tuple(made.order_by("-asked_at", "-pk")),
    )


def accounts_like(text: str, *, limit: int) -> list[Account]:
    """Return accounts by a part of their name, a member's address, or their number."""
    found = Account.objects.order_by("name", "pk")
    if text:
        found = found.filter(
            Q(name__icontains=text)
            | Q(public_id=text)
            | Q(billing_email__icontains=text)
            | Q(memberships__user__email__icontains=text)
            | Q(customer__stripe_customer_id=text)
        ).distinct()
    return list(found[:limit])


def account_view(account: Account, *, limit: int, at: datetime) -> AccountView:
    """Return what staff are shown of an account; purchases and bills newest first."""
    wallet = Wallet.objects.filter(account=account, unit=WalletUnit.CREDITS).first()
    return AccountView(
        account=account,
        subscription=subscribing.live_subscription(account.pk),
        balance=statements.balance_of(wallet.pk, at=at) if wallet else None,
        owed=debts.owed_by(account.pk) if wallet else None,
        purchases=tuple(
            account.purchases.select_related("offer").order_by("-opened_at")[:limit]
        ),
        invoices=tuple(account.invoices.order_by("-created_at")[:limit]),
    )
