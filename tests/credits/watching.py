"""Wallets that are watched, and looks at them."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import Notice
from credits import alerting, ledger
from credits.models import Alert, AlertSettings, GrantSource
from tests.conftest import NOW
from tests.factories import job

DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
CYCLE = (NOW - 9 * DAY, NOW + 22 * DAY)
NEXT_CYCLE = (NOW + 22 * DAY, NOW + 53 * DAY)


def watch(wallet, thresholds=(), days=(), emails=()):
    AlertSettings.objects.update_or_create(
        wallet=wallet,
        defaults={
            "thresholds": [*thresholds],
            "expiry_days": [*days],
            "emails": [*emails],
        },
    )


def begin_cycle(wallet, starts_at, ends_at, *, spending_block=None):
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=spending_block,
        way_forward="Buy more.",
        cycle_starts_at=starts_at,
        cycle_ends_at=ends_at,
    )


def spend(wallet, credits, at=NOW):
    ledger.spend(job(wallet, credits), at=at)


def hold(wallet, credits):
    ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key="hold",
        actor="test",
        at=NOW,
    )


def end_plan(wallet, ends_at):
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="Buy more.",
        cycle_starts_at=None,
        cycle_ends_at=None,
        plan_ends_at=ends_at,
        spends_until=ends_at,
    )


def grant(wallet, credits, expires_at=None, at=NOW, source=GrantSource.PURCHASE):
    ledger.grant(
        wallet_id=wallet.pk,
        source=source,
        source_key=f"{wallet.pk}:{at}:{credits}:{expires_at}",
        credits=credits,
        cost_basis_cents=0,
        effective_at=at,
        expires_at=expires_at,
        actor="test",
        at=at,
    )


def look(at=NOW):
    return alerting.raise_low_balances(alerting.below_a_threshold(at=at), at=at)


def look_ahead(days, at=NOW, limit=100):
    return alerting.raise_expiries(days=days, limit=limit, at=at)


def thresholds():
    return sorted(Alert.objects.values_list("threshold", flat=True))


def subjects():
    return [*Notice.objects.order_by("pk").values_list("subject", flat=True)]
