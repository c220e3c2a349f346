"""The peer of a renewal: the same rows by Django's models, in bulk, a thousand a chunk.

As the owner of the tables, since the application may not write them.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.models import Cycle
    from credits.models import CreditGrant, LedgerEntry, Wallet

_CHUNK = 1_000
_OWNER = "owner"


def grant_due(*, at: datetime) -> int:
    """Grant the months that begin at an instant; return how many there were."""
    from billing.models import Cycle  # noqa: PLC0415 - models need the settings

    due = Cycle.objects.using(_OWNER).filter(granted_at=None, starts_at=at)
    cycles = iter(list(due.select_related("subscription").order_by("pk")))
    total = 0
    while chunk := list(islice(cycles, _CHUNK)):
        _grant(chunk, at)
        total += len(chunk)
    return total


def _grant(cycles: list[Cycle], at: datetime) -> None:
    from django.db import transaction  # noqa: PLC0415

    from billing.models import Cycle  # noqa: PLC0415
    from credits.models import (  # noqa: PLC0415
        CreditGrant,
        GrantDraw,
        LedgerEntry,
        Wallet,
    )

    with transaction.atomic(using=_OWNER):
        wallets = _locked_wallets(cycles)
        pairs = [(cycle, wallets[cycle.subscription.account_id]) for cycle in cycles]
        for cycle, wallet in pairs:
            wallet.balance += cycle.credits
            wallet.seq += 1
            wallet.cycle_starts_at, wallet.cycle_ends_at = (
                cycle.starts_at,
                cycle.ends_at,
            )
            cycle.granted_at = at
        grants = CreditGrant.objects.using(_OWNER).bulk_create(_grants(pairs, at))
        entries = LedgerEntry.objects.using(_OWNER).bulk_create(_entries(pairs, at))
        GrantDraw.objects.using(_OWNER).bulk_create(
            GrantDraw(
                entry=entry,
                grant=grant,
                wallet_id=grant.wallet_id,
                position=0,
                credits=grant.granted,
                remaining_after=grant.granted,
            )
            for grant, entry in zip(grants, entries, strict=True)
        )
        Wallet.objects.using(_OWNER).bulk_update(
            wallets.values(), ["balance", "seq", "cycle_starts_at", "cycle_ends_at"]
        )
        Cycle.objects.using(_OWNER).bulk_update(cycles, ["granted_at"])


def _locked_wallets(cycles: list[Cycle]) -> dict[int, Wallet]:
    from credits.models import Wallet  # noqa: PLC0415

    account_ids = [cycle.subscription.account_id for cycle in cycles]
    found = Wallet.objects.using(_OWNER).filter(account__in=account_ids)
    locked = found.select_for_update(no_key=True).order_by("pk")
    return {wallet.account_id: wallet for wallet in locked}


def _grants(pairs: list[tuple[Cycle, Wallet]], at: datetime) -> Iterable[CreditGrant]:
    from credits.models import CreditGrant, GrantSource  # noqa: PLC0415

    return (
        CreditGrant(
            wallet=wallet,
            source=GrantSource.PLAN,
            source_key=cycle.source_key,
            granted=cycle.credits,
            remaining=cycle.credits,
            held=0,
            cost_basis_cents=cycle.price_cents,
            effective_at=cycle.starts_at,
            expires_at=cycle.expires_at,
            is_open=True,
            created_at=at,
        )
        for cycle, wallet in pairs
    )


def _entries(pairs: list[tuple[Cycle, Wallet]], at: datetime) -> Iterable[LedgerEntry]:
    from credits.models import EntryKind, LedgerEntry  # noqa: PLC0415

    return (
        LedgerEntry(
            wallet=wallet,
            seq=wallet.seq,
            kind=EntryKind.GRANT,
            credits=cycle.credits,
            balance_after=wallet.balance,
            idempotency_key=cycle.source_key,
            request_hash=_fingerprint(cycle),
            actor="plan",
            occurred_at=at,
            created_at=at,
        )
        for cycle, wallet in pairs
    )


def _fingerprint(cycle: Cycle) -> bytes:
    content = f"grant|PLAN|{cycle.credits}|{cycle.price_cents}"
    return sha256(content.encode()).digest()
