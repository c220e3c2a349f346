"""The demo's legacy plan: brought in as a file would bring it, with a pack a month."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing.subscriptions import legacy
from config.demo.accounts import QUIET, midnight, work

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account
    from config.demo.accounts import DemoAccount

_PACK_EVERY, _PACK_LASTS = timedelta(days=30), timedelta(days=120)
_PAID_AHEAD = timedelta(days=12)


def keep(described: DemoAccount, account: Account, *, at: datetime) -> None:
    """Bring in a legacy plan and its packs, and use them up to `at`."""
    began, paid_until = midnight(at) - described.began, midnight(at) + _PAID_AHEAD
    plan = {"kind": "plan", "plan": described.plan, "interval": "MONTH"}
    _bring_in(account, plan, began, paid_until)
    for number in range((at - QUIET - began).days):
        day = began + timedelta(days=number)
        if not (day - began) % _PACK_EVERY:
            _bring_in_pack(described, account, (day - began) // _PACK_EVERY, day)
        work(described, account, day=day)


def _bring_in_pack(
    described: DemoAccount, account: Account, number: int, day: datetime
) -> None:
    if number < len(described.packs):
        credits, name = described.packs[number], f"{account.public_id}-{number + 1}"
        pack = {"kind": "pack", "pack": name, "credits": str(credits), "cents": "1500"}
        _bring_in(account, pack, day, day + _PACK_LASTS)


def _bring_in(
    account: Account, row: dict[str, str], starts_at: datetime, ends_at: datetime
) -> None:
    dates = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    blank = dict.fromkeys(legacy.COLUMNS, "")
    whole = blank | {"account": account.public_id} | dates | row
    imported = legacy.bring_in([whole], dry_run=False, at=starts_at)
    if imported.errors:
        raise ValueError(imported.errors)
