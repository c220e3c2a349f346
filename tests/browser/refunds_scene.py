"""Payments of which a part went back, and what is owed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Role
from billing import payments
from billing.plans import catalogue
from billing.purchases import purchasing, settling
from billing.refunds import refunding
from billing.refunds.refunding import Extent
from config.clock import now
from credits import ledger
from credits.models import Wallet, WalletUnit
from tests.factories import job

if TYPE_CHECKING:
    from accounts.models import Account
    from billing.models import Purchase
    from tests.sandbox_process import Sandbox


def refunded_payments(account: Account, sandbox: Sandbox) -> dict[str, tuple]:
    """Use up a purchase and refund it in full; give a part of another back."""
    used, kept = (_bought(account, sandbox, blocks) for blocks in (2, 3))
    wallet = Wallet.objects.get(account=account, unit=WalletUnit.CREDITS)
    ledger.spend_batch([job(wallet, wallet.available - 250)], at=now())
    _refund(used, Extent.ALL)
    _refund(kept, Extent.AMOUNT, cents=250)
    return {
        "payment": (kept.stripe_payment_intent_id,),
        "refunded": (used.stripe_payment_intent_id,),
        "purchase": (kept.public_id,),
        "account": (account.public_id,),
    }


def _bought(account: Account, sandbox: Sandbox, blocks: int) -> Purchase:
    at = now()
    purchase = purchasing.buy_blocks(
        account=account,
        buyer=account.memberships.get(role=Role.OWNER).user,
        offer=catalogue.blocks_in_force(at=at),
        blocks=blocks,
        form_key=f"refunds{blocks}",
        at=at,
    )
    sandbox.pay(purchase.checkout_url)
    settling.settle(session_id=purchase.stripe_session_id, at=at)
    purchase.refresh_from_db()
    return purchase


def _refund(purchase: Purchase, extent: Extent, *, cents: int = 0) -> None:
    payment, at = payments.payment_for(purchase), now()
    refunding.ask(
        payment,
        refunding.preview(payment, extent, cents=cents, at=at),
        by=purchase.buyer,
        reason="Bought twice by mistake",
        form_key=f"refund{purchase.pk}",
        at=at,
    )
