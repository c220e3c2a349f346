"""A history that agrees with Stripe, and how to make each kind of break in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from accounts.models import Account, Role, User
from billing.models import (
    BalanceMovement,
    BreakKind,
    Dispute,
    DisputeStatus,
    Invoice,
    InvoiceStatus,
    Purchase,
    PurchaseState,
    Refund,
    RefundState,
    Subscription,
)
from billing.purchases import settling
from credits import ledger
from credits.models import CreditGrant, GrantSource, Wallet
from tests.billing.conftest import buy
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member
from tests.stripe_wire import StripeWire

DISPUTED_CARD = "4000000000000259"


@dataclass(slots=True)
class History:
    """An account on Business at Stripe that has bought three blocks, a day ago."""

    plans: Plans
    account: Account
    alice: User
    purchase: Purchase

    @property
    def at(self):
        return self.plans.at

    @property
    def wallet_id(self) -> int:
        return Wallet.objects.get(account=self.account).pk

    def buy(self, card: str = "4242424242424242") -> Purchase:
        """Buy two blocks, and let nobody hear that they were paid."""
        purchase = buy(self.account, self.alice, blocks=2, at=self.at)
        assert self.plans.wire.pay(purchase.stripe_session_id, card).status == 303
        return purchase

    def settle(self, purchase: Purchase) -> None:
        settling.settle(session_id=purchase.stripe_session_id, at=self.at)
        purchase.refresh_from_db()

    def later(self, passes: timedelta) -> None:
        """Let time pass at Stripe and here; nobody hears what Stripe tells."""
        self.plans.at += passes
        self.plans.wire.at(self.plans.at)


def lived(wire: StripeWire) -> History:
    """A history without breaks: everything was heard, and is a day old."""
    plans, account = Plans(wire), make_account()
    alice = make_member(account, Role.OWNER)
    plans.subscribe(account, "business")
    history = History(plans, account, alice, purchase=None)
    history.purchase = buy(account, alice, blocks=3)
    wire.pay(history.purchase.stripe_session_id)
    plans.hear()
    history.purchase.refresh_from_db()
    plans.travel(NOW + timedelta(days=1))
    return history


def pay_unheard(history: History) -> str:
    purchase = history.buy()
    [charge] = [
        one
        for one in history.plans.wire.charges()
        if one["metadata"].get("purchase") == purchase.public_id
    ]
    return charge["payment_intent"]


def grant_unpaid(history: History) -> str:
    purchase = Purchase.objects.create(
        account=history.account,
        buyer=history.alice,
        offer=history.purchase.offer,
        form_key="nobody paid",
        state=PurchaseState.PAID,
        blocks_asked=1,
        blocks_paid=1,
        currency="usd",
        paid_cents=500,
        stripe_payment_intent_id="pi_never",
        opened_at=history.at,
        paid_at=history.at,
    )
    grant(history, purchase.source_key, purchase.public_id)
    return "pi_never"


def grant_again(history: History) -> str:
    grant(history, "purchase:again", history.purchase.public_id)
    return "purchase:again"


def grant(history: History, key: str, order: str) -> None:
    ledger.grant(
        wallet_id=history.wallet_id,
        source=GrantSource.PURCHASE,
        source_key=key,
        credits=100,
        cost_basis_cents=500,
        effective_at=history.at,
        expires_at=None,
        actor="test",
        reason=order,
        at=history.at,
    )


def lose_a_cent(history: History) -> str:
    paid = Purchase.objects.filter(pk=history.purchase.pk)
    paid.update(paid_cents=history.purchase.paid_cents - 1)
    return history.purchase.stripe_payment_intent_id


def change_currency(history: History) -> str:
    Purchase.objects.filter(pk=history.purchase.pk).update(currency="eur")
    return history.purchase.stripe_payment_intent_id


def refund_unheard(history: History) -> str:
    refunds = history.plans.wire.client().v1.refunds
    intent_id = history.purchase.stripe_payment_intent_id
    return refunds.create({"payment_intent": intent_id, "amount": 500}).id


def invent_refund(history: History) -> str:
    Refund.objects.create(
        account=history.account,
        purchase=history.purchase,
        asked_key="invented",
        stripe_refund_id="re_never",
        state=RefundState.DONE,
        amount_cents=500,
        currency="usd",
        asked_at=history.at,
        settled_at=history.at,
    )
    return "re_never"


def dispute_unheard(history: History) -> str:
    history.settle(history.buy(DISPUTED_CARD))
    [dispute] = history.plans.wire.sandbox.store.find("dispute")
    return dispute["id"]


def invent_dispute(history: History) -> str:
    Dispute.objects.create(
        stripe_dispute_id="dp_never",
        account=history.account,
        purchase=history.purchase,
        status=DisputeStatus.NEEDS_RESPONSE,
        reason="fraudulent",
        amount_cents=1_500,
        currency="usd",
        opened_at=history.at,
    )
    return "dp_never"


def orphan_session(history: History) -> str:
    purchase = history.buy()
    Purchase.objects.filter(pk=purchase.pk).delete()
    return purchase.stripe_session_id


def change_status(history: History) -> str:
    subscription = Subscription.objects.get(account=history.account)
    Subscription.objects.filter(pk=subscription.pk).update(status="PAST_DUE")
    return subscription.stripe_subscription_id


def invent_invoice(history: History) -> str:
    Invoice.objects.create(
        stripe_invoice_id="in_never",
        account=history.account,
        status=InvoiceStatus.OPEN,
        reason="manual",
        currency="usd",
        net_cents=500,
        tax_cents=0,
        total_cents=500,
        due_cents=500,
        created_at=history.at,
    )
    return "in_never"


def change_fee(history: History) -> str:
    # What was kept cannot be changed: here Stripe's own books are, as if it had erred.
    store = history.plans.wire.sandbox.store
    first = BalanceMovement.objects.order_by("pk").first()
    [theirs] = store.find("balance_transaction", id=first.stripe_balance_transaction_id)
    with store.transaction():
        store.replace(theirs | {"fee": theirs["fee"] + 1})
    return theirs["id"]


# Each makes one break and returns what it is about.
SOWN: dict[BreakKind, Callable[[History], str]] = {
    BreakKind.PAID_WITHOUT_GRANT: pay_unheard,
    BreakKind.GRANT_WITHOUT_PAYMENT: grant_unpaid,
    BreakKind.DOUBLE_GRANT: grant_again,
    BreakKind.AMOUNT_DIFFERS: lose_a_cent,
    BreakKind.CURRENCY_DIFFERS: change_currency,
    BreakKind.REFUND_UNPOSTED: refund_unheard,
    BreakKind.REFUND_UNKNOWN: invent_refund,
    BreakKind.DISPUTE_UNPOSTED: dispute_unheard,
    BreakKind.DISPUTE_UNKNOWN: invent_dispute,
    BreakKind.ORPHAN_SESSION: orphan_session,
    BreakKind.SUBSCRIPTION_DIFFERS: change_status,
    BreakKind.INVOICE_DIFFERS: invent_invoice,
    BreakKind.FEE_DIFFERS: change_fee,
}


def credits_of(purchase: Purchase) -> int:
    """What the purchase brought: 0 before."""
    grants = CreditGrant.objects.filter(source_key=purchase.source_key)
    return sum(grants.values_list("granted", flat=True))
