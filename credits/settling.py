"""Charging a job that had a hold, also when its hold has timed out (R71 to R74)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits import ledger, signals
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


@dataclass(frozen=True, slots=True)
class Unbilled:
    """A job that ran and could not be charged: what it used, and why not."""

    lines: tuple[UsedLine, ...]
    credits: int
    why: str


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
        return charge_lapsed(hold, lines=lines, actor=actor, at=at)
    if not captured.is_replay:
        _tell_absorbed(hold, lines, captured.credits, at=at)
    return Settled(captured.entry_id, captured.is_replay)


def charge_lapsed(
    hold: Hold, *, lines: tuple[UsedLine, ...], actor: str, at: datetime
) -> Settled:
    """Charge a job whose hold has timed out, once, whoever asks (R72).

    What becomes of it is told: `job_unbilled`, or `job_billed`.

    Raises:
        HoldClosed: it was charged before, for other lines.
        HoldLapsed: there are too few credits, or they may not be spent.
        MemberCapReached: the member may not use that much more.
    """
    hold.refresh_from_db(fields=["captured"])
    charged = _within(hold, lines)
    job = ledger.Spend(
        wallet_id=hold.wallet_id,
        lines=charged,
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
        _tell_unbilled(hold, lines, refusal, at=at)
        raise HoldLapsed(refusal) from refusal
    except ledger.MemberCapReached as refusal:
        _tell_unbilled(hold, lines, refusal, at=at)
        raise
    if not spent.is_replay:
        _tell_absorbed(hold, lines, spent.credits, at=at)
    signals.job_billed.send_robust(sender=None, hold=hold, at=at)
    return Settled(spent.entry_id, spent.is_replay)


def _within(hold: Hold, lines: tuple[UsedLine, ...]) -> tuple[UsedLine, ...]:
    excess = sum(line.credits for line in lines) - (hold.credits - hold.captured)
    if excess <= 0:
        return lines
    return (*lines, UsedLine(ABSORBED, 0, hold.rate_version, -excess))


def _tell_unbilled(
    hold: Hold,
    lines: tuple[UsedLine, ...],
    refusal: ledger.InsufficientCredits
    | ledger.SpendingBlocked
    | ledger.MemberCapReached,
    *,
    at: datetime,
) -> None:
    unbilled = Unbilled(lines, credits=refusal.needed, why=str(refusal))
    signals.job_unbilled.send_robust(sender=None, hold=hold, unbilled=unbilled, at=at)


def _tell_absorbed(
    hold: Hold, lines: tuple[UsedLine, ...], charged: int, *, at: datetime
) -> None:
    absorbed = sum(line.credits for line in lines) - charged
    if absorbed > 0:
        dearest = max(lines, key=lambda line: line.credits)
        signals.cost_absorbed.send_robust(
            sender=None, hold=hold, feature=dearest.feature, credits=absorbed, at=at
        )
