"""Legacy plans and packs, as the file of an import has them."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import Account
from billing.subscriptions import legacy
from credits.models import Wallet, WalletUnit
from tests.conftest import NOW

DAY = timedelta(days=1)
BEGAN, ENDS = NOW - 10 * DAY, NOW + 20 * DAY
PACK_ENDS = NOW + 90 * DAY
CODE = "legacy-unlimited"


def plan_row(to: Account, **changed: str) -> dict[str, str]:
    return dict.fromkeys(legacy.COLUMNS, "") | {
        "kind": "plan",
        "account": to.public_id,
        "plan": CODE,
        "interval": "MONTH",
        "starts_at": BEGAN.isoformat(),
        "ends_at": ENDS.isoformat(),
        **changed,
    }


def pack_row(to: Account, **changed: str) -> dict[str, str]:
    return dict.fromkeys(legacy.COLUMNS, "") | {
        "kind": "pack",
        "account": to.public_id,
        "pack": "P-1",
        "credits": "300",
        "cents": "4500",
        "starts_at": BEGAN.isoformat(),
        "ends_at": PACK_ENDS.isoformat(),
        **changed,
    }


def end_row(to: Account, **changed: str) -> dict[str, str]:
    return dict.fromkeys(legacy.COLUMNS, "") | {
        "kind": "end",
        "account": to.public_id,
        "plan": CODE,
        "ends_at": NOW.isoformat(),
        **changed,
    }


def bring_in(*rows: dict[str, str], dry_run=False, at=NOW) -> legacy.Imported:
    return legacy.bring_in(rows, dry_run=dry_run, at=at)


def on_legacy(account: Account) -> Account:
    """An account on the legacy plan of the catalogue, with a pack of 300."""
    imported = bring_in(plan_row(account), pack_row(account))
    assert imported.errors == ()
    return account


def premium_of(account: Account) -> Wallet:
    return Wallet.objects.get(account=account, unit=WalletUnit.PREMIUM)
