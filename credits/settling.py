"""Charging a job that had a hold, also when its hold has timed out (R71 to R74)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits import ledger
from credits.ledger import UsedLine
from credits.models import ABSORBED, HoldState

if TYPE_CHECKING:
    from datetime import datetime

    from credits.models import Hold


@dataclass(frozen=True, slots=True)
class Settled:
    """The entry that charged a job."""

    entry_id: int
    is_replay: bool


class HoldLapsed(ledger.CreditsError):
    """The hold has timed out and the job cannot be charged anew (R72)."""

    def __init__(
        self, refusal: ledger.InsufficientCredits | ledger.SpendingBlocked
    ) -> None:
        """Remember the numbers of the refused debit."""
        super().__init__(f"The hold has timed out. {refusal}")
        self.needed = refusal.needed
        self.available = refusal.available
        self.way_forward = refusal.way_forward


def charge(
    hold: Hold,
    *,
    lines: tuple[UsedLine, ...],
    idempotency_key: str,
    actor: str,
    at: datetime,
    is_final: bool = True,
) -> Settled:
    """Charge a job against its hold, or anew once if the hold has timed out.

    What it cost above the hold is not charged but recorded (R71).

    Raises:
        HoldClosed: it was captured or released before (R74).
        HoldLapsed: it has timed out, and there are too few credits.
        MemberCapReached: it has timed out, and the member may not use that much more.
        IdempotencyConflict: the key was used for something else.
    """
    try:
        captured = ledger.capture(
            hold_id=hold.pk,
            lines=lines,
            idempotency_key=idempotency_key,
            actor=actor,
            is_final=is_final,
            absorbs_excess=True,
            at=at,
        )
    except ledger.HoldClosed as closed:
        if closed.state != HoldState.EXPIRED:
            raise
        return _charge_anew(hold, lines=lines, actor=actor, at=at)
    return Settled(captured.entry_id, captured.is_replay)


def _charge_anew(
    hold: Hold, *, lines: tuple[UsedLine, ...], actor: str, at: datetime
) -> Settled:
    hold.refresh_from_db(fields=["captured"])
    job = ledger.Spend(
        wallet_id=hold.wallet_id,
        lines=_within(hold, lines),
        # Named by the hold: attempts have keys of their own (R68), and two of them
        # must not charge one job twice.
        idempotency_key=f"hold-lapsed:{hold.pk}",
        actor=actor,
        reference=hold.reference,
        member_id=hold.member_id,
        member=hold.member,
    )
    try:
        spent = ledger.spend(job, at=at)
    except ledger.IdempotencyConflict as settled:
        raise ledger.HoldClosed(HoldState.EXPIRED) from settled
    except (ledger.InsufficientCredits, ledger.SpendingBlocked) as refusal:
        raise HoldLapsed(refusal) from refusal
    return Settled(spent.entry_id, spent.is_replay)


def _within(hold: Hold, lines: tuple[UsedLine, ...]) -> tuple[UsedLine, ...]:
    excess = sum(line.credits for line in lines) - (hold.credits - hold.captured)
    if excess <= 0:
        return lines
    return (*lines, UsedLine(ABSORBED, 0, hold.rate_version, -excess))
