"""Small builders: what a test needs, said in one line."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group

from accounts.models import Account, Membership, Role, User
from credits import ledger
from credits.models import CreditGrant, GrantSource, Wallet
from tests.conftest import NOW

if TYPE_CHECKING:
    from datetime import timedelta

    from accounts.roles import StaffGroup

_numbers = count(1)


def make_user(email: str = "", **fields) -> User:
    return User.objects.create_user(
        email or f"user{next(_numbers)}@example.com", "correct horse", **fields
    )


def make_staff(*groups: StaffGroup, **fields) -> User:
    """Somebody of the operator's own, in these groups."""
    user = make_user(is_staff=True, **fields)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def make_account(name: str = "Northwind Studio", **fields) -> Account:
    return Account.objects.create(name=name, **fields)


def make_member(account: Account, role: Role, email: str = "") -> User:
    user = make_user(email)
    Membership.objects.create(account=account, user=user, role=role)
    return user


def make_wallet(
    account: Account | None = None,
    grants: dict[str, tuple[int, timedelta | None]] | None = None,
    way_forward: str = "",
) -> Wallet:
    """A wallet that may be spent from, with grants: name -> (credits, lifetime)."""
    account = account or make_account()
    wallet_id = ledger.open_wallet(account_id=account.pk, at=NOW)
    ledger.set_terms(
        wallet_id=wallet_id,
        spending_block=None,
        way_forward=way_forward,
        cycle_starts_at=None,
        cycle_ends_at=None,
    )
    for name, (credits, lifetime) in (grants or {}).items():
        ledger.grant(
            wallet_id=wallet_id,
            source=GrantSource.PLAN,
            source_key=f"{wallet_id}:{name}",
            credits=credits,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=NOW + lifetime if lifetime else None,
            actor="test",
            at=NOW,
        )
    return Wallet.objects.get(pk=wallet_id)


def job(
    wallet: Wallet, credits: int, key: str = "", member: User | None = None
) -> ledger.Spend:
    """A job that costs so many credits: looks, at one credit each."""
    return ledger.Spend(
        wallet_id=wallet.pk,
        lines=(ledger.UsedLine("look", credits or 1, 1, credits),),
        idempotency_key=key or f"job:{next(_numbers)}",
        actor="test",
        member_id=member.pk if member else None,
        member=member.email if member else "",
    )


def remaining(wallet: Wallet) -> dict[str, int]:
    """What is left of each grant, by the name that `make_wallet` was given."""
    return {
        grant.source_key.partition(":")[2]: grant.remaining
        for grant in CreditGrant.objects.filter(wallet=wallet)
    }
