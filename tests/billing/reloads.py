"""Accounts with auto-reload: a saved card, settings, and what comes of them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from accounts.models import Account, Notice, User
from billing import customers, stripe_gateway
from billing.core.reload_policy import Limits
from billing.models import AutoReload, Reload, ReloadSkip, ReloadTrigger
from billing.reloads import charging, reloading
from billing.reloads import settings as reload_settings
from billing.reloads.reloading import Considered
from credits import ledger
from credits.models import Wallet
from tests.conftest import NOW
from tests.factories import job
from tests.stripe_wire import StripeWire

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GOOD_CARD, OTHER_CARD = "pm_card_visa", "pm_card_mastercard"
FAILING_CARD = "pm_card_chargeCustomerFail"
CARD_WITH_3DS = "pm_card_authenticationRequired"
_customers = count(1)


def save_card(
    wire: StripeWire, account: Account, token: str = GOOD_CARD
) -> stripe_gateway.SavedCard:
    """Save a card at Stripe, as its setup page does."""
    customer = customers.customer_id(
        account,
        email="bills@example.com",
        attempt=next(_customers),
        at=NOW,
    )
    methods = wire.client().v1.payment_methods
    saved = methods.attach(token, {"customer": customer})
    return stripe_gateway.saved_card(saved.id, customer_id=customer)


def limits(**changes: int) -> Limits:
    """Below 500 credits 3 blocks ($15); a charge at most $50, a month $100 and 10."""
    return Limits(
        **{
            "threshold": 500,
            "blocks": 3,
            "largest_charge_cents": 5_000,
            "monthly_cap_cents": 10_000,
            "monthly_cap_count": 10,
            **changes,
        }
    )


def agree(
    account: Account,
    by: User,
    card: stripe_gateway.SavedCard,
    *,
    at=NOW,
    version: int | None = None,
    **changes,
) -> AutoReload:
    """Save settings as the page does that showed the present version, or this one."""
    known = AutoReload.objects.filter(account=account).first()
    present = known.version if known else 0
    wanted = reload_settings.Wanted(
        limits=limits(**changes),
        card=card,
        version=present if version is None else version,
        text="I agree.",
        text_version="reload-1",
        address="192.0.2.1",
    )
    return reload_settings.save(wanted, account=account, by=by, at=at)


def use(account: Account, credits: int, *, at=NOW) -> None:
    """Let a job draw so many credits."""
    ledger.spend(job(Wallet.objects.get(account=account), credits), at=at)


def consider(account: Account, *, at=NOW, needed: int = 0) -> Considered | None:
    return reloading.consider(
        account_id=account.pk, trigger=ReloadTrigger.THRESHOLD, needed=needed, at=at
    )


def reload(account: Account, *, at=NOW, needed: int = 0) -> Reload | None:
    """Decide and charge, as the sweeper does."""
    considered = consider(account, at=at, needed=needed)
    if considered is None or considered.reload_id is None:
        return None
    charging.charge(reload_id=considered.reload_id, at=at)
    return Reload.objects.select_related("purchase").get(pk=considered.reload_id)


def sweep(account: Account, *, at) -> None:
    """Do what the sweeper does in a minute, for this account."""
    for account_id in reloading.short_accounts(limit=10):
        reload(Account.objects.get(pk=account_id), at=at)
    for reload_id in charging.due_reloads(limit=10, at=at):
        charging.charge(reload_id=reload_id, at=at)


def paid(wire: StripeWire) -> list[int]:
    """What was charged to cards, in cents, oldest first."""
    return [charge["amount"] for charge in wire.charges() if charge["paid"]]


def skips(account: Account) -> list[str]:
    return list(
        ReloadSkip.objects.filter(account=account)
        .order_by("pk")
        .values_list("reason", flat=True)
    )


def notices() -> set[str]:
    return set(Notice.objects.values_list("kind", flat=True))
