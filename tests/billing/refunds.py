"""Payments to be refunded, and what came of that."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from accounts.models import Account, User
from billing import payments
from billing.models import Purchase, Refund
from billing.payments import Payment
from billing.purchases import settling
from billing.refunds import refunding
from billing.refunds.refunding import Extent
from billing.webhooks import inbox
from credits import ledger
from credits.models import CreditGrant, Wallet
from tests.billing.conftest import buy, event_of
from tests.conftest import NOW
from tests.factories import job, make_user
from tests.stripe_wire import StripeWire

LATER = NOW + timedelta(minutes=2)
# Refunds of it succeed and fail five minutes later, or arrive as late.
FAILING_REFUNDS = "4000000000005126"
SLOW_REFUNDS = "4000000000007726"

_forms = count(1)


def bought(
    wire: StripeWire, account: Account, buyer: User, blocks: int = 1, **card: str
) -> Purchase:
    """Blocks of 100 credits at $5, paid and granted."""
    purchase = buy(account, buyer, blocks=blocks)
    wire.pay(purchase.stripe_session_id, **card)
    settling.settle(session_id=purchase.stripe_session_id, at=LATER)
    purchase.refresh_from_db()
    return purchase


def payment_of(purchase: Purchase) -> Payment:
    found = payments.payment_for(purchase)
    assert found
    return found


def refund(
    purchase: Purchase,
    extent: Extent = Extent.UNSPENT,
    *,
    cents: int | None = None,
    at: datetime = LATER,
) -> Refund:
    """Preview a refund and ask for it, as staff do."""
    payment = payment_of(purchase)
    previewed = refunding.preview(payment, extent, cents=cents, at=at)
    return refunding.ask(
        payment,
        previewed,
        by=make_user(),
        reason="Asked for by phone",
        form_key=f"form{next(_forms)}",
        at=at,
    )


def at_stripe(wire: StripeWire, purchase: Purchase, cents: int) -> str:
    """Refund in Stripe's dashboard; return the id."""
    made = wire.client().v1.refunds.create(
        {"payment_intent": purchase.stripe_payment_intent_id, "amount": cents}
    )
    return made.id


def hear(wire: StripeWire, at: datetime = LATER) -> None:
    """Receive all events that Stripe has told, as webhooks, and act on them."""
    for event in wire.events():
        inbox.receive(event_of(event), at=at)
    for subject_id in inbox.due_subjects(limit=1_000, at=at):
        inbox.look_at(subject_id, at=at)


def use(account: Account, credits: int, at: datetime = LATER) -> None:
    """Use credits; those that the plan gave go first."""
    wallet = Wallet.objects.get(account=account)
    ledger.spend_batch([job(wallet, credits)], at=at)


def grant_of(purchase: Purchase) -> CreditGrant:
    return CreditGrant.objects.get(source_key=purchase.source_key)


def wallet_of(account: Account) -> Wallet:
    return Wallet.objects.get(account=account)
