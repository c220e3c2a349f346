"""Auto-reload in the states that its pages can show."""

from __future__ import annotations

from accounts.models import Role
from billing import customers, stripe_gateway
from billing.core.reload_policy import Limits
from billing.models import ReloadTrigger
from billing.reloads import charging, reloading
from billing.reloads import settings as reload_settings
from billing.reloads.page import CONSENT_VERSION, consent_text
from billing.stripe_gateway.connection import client
from config.clock import now

Arguments = dict[str, tuple[object, ...]]
_ABOVE_WHAT_ANYBODY_HAS = 1_000_000


def with_a_card(account) -> Arguments:
    """Save a card, as the page of payment methods does."""
    _save_card(account, "pm_card_visa")
    return {}


def with_a_reload(account) -> Arguments:
    """Turn auto-reload on while credits are short: one charge, and one skip."""
    _turn_on(account, "pm_card_visa")
    _consider(account)
    return {}


def with_a_refused_card(account) -> Arguments:
    """Let the bank refuse the card until auto-reload is paused."""
    _turn_on(account, "pm_card_chargeCustomerFail")
    reload = account.reloads.get()
    for _ in range(2):
        reload.refresh_from_db()
        charging.charge(reload_id=reload.pk, at=reload.next_attempt_at)
    return {}


def with_a_payment_to_confirm(account) -> Arguments:
    """Let the bank ask for the customer."""
    _turn_on(account, "pm_card_authenticationRequired")
    return {"reload": (account.reloads.get().purchase.public_id,)}


def _turn_on(account, token) -> None:
    limits, card = _limits(), _save_card(account, token)
    wanted = reload_settings.Wanted(
        limits=limits,
        card=card,
        version=0,
        text=consent_text(limits, card, block_cents=500),
        text_version=CONSENT_VERSION,
        address=None,
    )
    owner = account.memberships.filter(role=Role.OWNER).first().user
    reload_settings.save(wanted, account=account, by=owner, at=now())
    _consider(account)


def _consider(account) -> None:
    considered = reloading.consider(
        account_id=account.pk, trigger=ReloadTrigger.THRESHOLD, at=now()
    )
    if considered.reload_id:
        charging.charge(reload_id=considered.reload_id, at=now())


def _limits() -> Limits:
    return Limits(
        threshold=_ABOVE_WHAT_ANYBODY_HAS,
        blocks=3,
        largest_charge_cents=1_500,
        monthly_cap_cents=10_000,
        monthly_cap_count=4,
    )


def _save_card(account, token) -> stripe_gateway.SavedCard:
    customer = customers.customer_id(
        account, email="bills@example.com", attempt=1, at=now()
    )
    saved = client().v1.payment_methods.attach(token, {"customer": customer})
    return stripe_gateway.saved_card(saved.id, customer_id=customer)
