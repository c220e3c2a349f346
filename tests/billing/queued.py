"""Jobs that end up in the work queue."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import Account
from billing.models import WorkItem, WorkKind
from credits import ledger, settling
from credits.ledger import UsedLine
from credits.models import GrantSource, Hold, Wallet
from tests.conftest import NOW
from tests.factories import job

TWO_DAYS_LATER = NOW + timedelta(days=2)


def looks(number: int) -> tuple[UsedLine, ...]:
    return (UsedLine("look", number, 1, number),)


def held(account: Account, credits: int, *, key="job", member=None, at=NOW) -> Hold:
    """A job that runs: so many looks at one credit each."""
    placed = ledger.hold(
        wallet_id=wallet_of(account).pk,
        credits=credits,
        rate_version=1,
        idempotency_key=f"hold:{key}",
        actor="backend",
        reference=key,
        member_id=member.pk if member else None,
        member=member.email if member else "",
        job=looks(credits),
        at=at,
    )
    return Hold.objects.select_related("wallet").get(pk=placed.hold_id)


def report(hold: Hold, credits: int, *, key: str = "end", at=TWO_DAYS_LATER):
    """The backend reports what the job used: by then its hold has timed out."""
    return settling.charge(
        hold, lines=looks(credits), idempotency_key=key, actor="backend", at=at
    )


def use_up(account: Account, *, leaving: int = 0, at=TWO_DAYS_LATER) -> None:
    ledger.expire_wallet(wallet_id=wallet_of(account).pk, at=at)
    wallet = wallet_of(account)
    ledger.spend(job(wallet, wallet.available - leaving), at=at)


def top_up(account: Account, credits: int, *, at=TWO_DAYS_LATER) -> None:
    wallet = wallet_of(account)
    ledger.grant(
        wallet_id=wallet.pk,
        source=GrantSource.PROMO,
        source_key=f"{wallet.pk}:top-up",
        credits=credits,
        cost_basis_cents=0,
        effective_at=at,
        expires_at=None,
        actor="test",
        at=at,
    )


def unbilled(account: Account, credits: int = 10, *, key: str = "job") -> WorkItem:
    """A job that ran longer than its hold lived, and that nothing is left for."""
    hold = held(account, credits, key=key)
    use_up(account)
    try:
        report(hold, credits)
    except settling.HoldLapsed:
        return WorkItem.objects.get(kind=WorkKind.UNBILLED_JOB, subject=hold.public_id)
    message = "It was charged."
    raise AssertionError(message)


def wallet_of(account: Account) -> Wallet:
    return Wallet.objects.get(account=account, unit="CREDITS")
