"""Undoing what a refund did when its money did not go back after all (R80)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.core.revenue import left_cents
from billing.disputes import doubts
from billing.finance import bookings
from billing.models import Cycle
from billing.refunds.figures import locked_wallet
from credits import ledger
from credits.models import EntryKind, GrantSource, LedgerEntry, Wallet

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Refund
    from billing.payments import Payment

_PUT_BACK = "The refund failed: the money did not go back."


def undo(refund: Refund, payment: Payment, *, at: datetime) -> None:
    """Undo what a failed refund did, by entries of its own; the caller saves it."""
    wallet_id = locked_wallet(payment, at=at)
    taken = LedgerEntry.objects.filter(
        wallet_id=wallet_id,
        kind=EntryKind.REVOKE,
        idempotency_key__startswith=f"{refund.source_key}:",
    )
    for entry in taken.order_by("seq"):
        ledger.reinstate(
            entry_id=entry.pk,
            idempotency_key=f"{entry.idempotency_key}:failed",
            actor="refund",
            reason=_PUT_BACK,
            at=at,
        )
    doubts.look_at_lost(refund.account_id, at=at)
    missing = _forgive(refund, wallet_id, at)
    lost, cents = _restore_months(payment.to_come, refund)
    if missing + lost:
        _grant_again(refund, payment, (missing + lost, cents), wallet_id, at)
    bookings.refund_undone(refund, at=at)
    refund.credits_waiting = 0


def _forgive(refund: Refund, wallet_id: int, at: datetime) -> int:
    """End the debt of a refund; return what of it was paid back meanwhile."""
    owed = min(refund.debt_credits, Wallet.objects.get(pk=wallet_id).debt)
    if owed:
        ledger.clear_debt(
            wallet_id=wallet_id,
            credits=owed,
            idempotency_key=f"{refund.source_key}:debt:failed",
            actor="refund",
            reason=_PUT_BACK,
            at=at,
        )
    return refund.debt_credits - owed


def _restore_months(to_come: tuple[Cycle, ...], refund: Refund) -> tuple[int, int]:
    """Let months have their credits again; return what had its time meanwhile.

    That was paid for as well: its credits, and their cents.
    """
    credits, cents = refund.credits_to_come, bookings.unbegun_of(refund)
    for cycle in to_come:
        missing = cycle.plan_version.cycle_credits - cycle.credits
        if (given := min(credits, missing)) > 0:
            left = left_cents(cents, granted=credits, left=credits - given)
            cycle.price_cents += cents - left
            cycle.credits += given
            credits, cents = credits - given, left
    Cycle.objects.bulk_update(to_come, ["credits", "price_cents"])
    return credits, cents


def _grant_again(
    refund: Refund,
    payment: Payment,
    paid: tuple[int, int],
    wallet_id: int,
    at: datetime,
) -> None:
    """Give what cannot be put back where it was: it was paid for after all.

    `paid` are its credits, and what months that had their time cost of them.
    """
    credits, cents = paid
    ends = [grant.expires_at for grant in payment.grants if grant.expires_at]
    last = max(ends, default=None)
    ledger.grant(
        wallet_id=wallet_id,
        source=GrantSource.RESTORE,
        source_key=f"{refund.source_key}:failed",
        credits=credits,
        cost_basis_cents=cents,
        effective_at=at,
        expires_at=last if last and last > at else at + ledger.FRESH_TIME,
        actor="refund",
        reason=_PUT_BACK,
        at=at,
    )
