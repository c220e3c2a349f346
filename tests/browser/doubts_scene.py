"""Payments that banks dispute, ask or warn about, for the desk and for customers."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from accounts.models import Role
from billing.models import Dispute, FraudWarning
from billing.plans import catalogue
from billing.purchases import purchasing, settling
from billing.stripe_gateway.connection import client
from billing.webhooks import inbox
from config.clock import now

if TYPE_CHECKING:
    from accounts.models import Account
    from tests.sandbox_process import Sandbox

DISPUTED, ASKED_ABOUT, WARNED_ABOUT = "0259", "1976", "5423"


def doubted_payments(account: Account, sandbox: Sandbox) -> dict[str, tuple]:
    """Pay with cards of which each leads to another doubt, and hear of them."""
    at = now()
    for number, ending in enumerate((DISPUTED, ASKED_ABOUT, WARNED_ABOUT)):
        purchase = purchasing.buy_blocks(
            account=account,
            buyer=account.memberships.get(role=Role.OWNER).user,
            offer=catalogue.blocks_in_force(at=at),
            blocks=number + 2,
            form_key=f"doubt{number}",
            at=at,
        )
        sandbox.pay(purchase.checkout_url, card=f"400000000000{ending}")
        settling.settle(session_id=purchase.stripe_session_id, at=at)
    _hear()
    dispute = Dispute.objects.exclude(status__startswith="WARNING").get()
    return {
        "dispute": (dispute.pk,),
        "inquiry": (Dispute.objects.exclude(pk=dispute.pk).get().pk,),
        "warning": (FraudWarning.objects.get().pk,),
        "purchase": (dispute.purchase.public_id,),
    }


def _hear() -> None:
    """Ask for what Stripe may be telling at the moment, and wait for all of it."""
    stripe = client().v1
    for found in stripe.disputes.list().data:
        inbox.look_again(object_kind="dispute", object_id=found.id, at=now())
    for found in stripe.radar.early_fraud_warnings.list().data:
        kind = "radar.early_fraud_warning"
        inbox.look_again(object_kind=kind, object_id=found.id, at=now())
    # Whoever took a webhook first holds the lease.
    for _ in range(100):
        if Dispute.objects.count() == 2 and FraudWarning.objects.exists():
            return
        sleep(0.1)
    raise AssertionError
