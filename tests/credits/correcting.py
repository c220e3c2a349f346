"""What tests of corrections have in common: a wallet, and what happens to it."""

from __future__ import annotations

from datetime import timedelta

from credits import ledger
from credits.models import CreditGrant, GrantSource, Wallet
from tests.conftest import NOW
from tests.factories import make_wallet

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def two_grants() -> Wallet:
    """30 credits that end tomorrow and 50 that end in a month."""
    return make_wallet(grants={"soon": (30, DAY), "later": (50, 30 * DAY)})


def grant_of(wallet, name="soon") -> CreditGrant:
    return CreditGrant.objects.get(wallet=wallet, source_key__endswith=f":{name}")


def wallet_now(wallet) -> Wallet:
    return Wallet.objects.get(pk=wallet.pk)


def correct(verb, *, key="correction", at=NOW, **options):
    return verb(idempotency_key=key, actor="test", reason="because", at=at, **options)


def end_plan(wallet, *, at):
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="",
        cycle_starts_at=None,
        cycle_ends_at=None,
        plan_ends_at=at,
    )


def hold(wallet, credits):
    return ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key="hold",
        actor="test",
        at=NOW,
    )


def buy(wallet, credits, *, source=GrantSource.PURCHASE, cents=0, expires_at=None):
    return ledger.grant(
        wallet_id=wallet.pk,
        source=source,
        source_key=f"bought:{source}",
        credits=credits,
        cost_basis_cents=cents,
        effective_at=NOW,
        expires_at=expires_at,
        actor="test",
        at=NOW,
    )
