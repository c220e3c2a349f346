"""Many debits in one request: each is read, priced and answered on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from credits import ledger
from credits.api import problems
from credits.api.access import all_addressed, not_addressed
from credits.api.debits import charged, command_for, recorded
from credits.api.handlers import problem_of
from credits.api.schemas import BatchedDebitOut, BatchItemIn
from credits.api.shortages import note_help, tell_falls
from credits.api.writing import OUTDATED, Members, actor_of, ledger_key
from credits.core.amounts import AmountOutOfBounds
from credits.models import LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pydantic_core import ErrorDetails

    from accounts.models import ServiceKey
    from credits.api.access import Addressed
    from credits.api.schemas import DebitOut, Unit
    from credits.models import Wallet

_REFUSED = (*OUTDATED, AmountOutOfBounds, ledger.CreditsError)


class Batch:
    """The items of one request, each on its way from what was sent to an answer."""

    def __init__(self, sent: Sequence[object], *, key: ServiceKey) -> None:
        """Remember what was sent and by which key."""
        self._sent = sent
        self._key = key
        self._jobs: dict[int, BatchItemIn] = {}
        self._targets: dict[tuple[str, Unit], Addressed] = {}
        self._commands: dict[int, ledger.Spend] = {}
        self._first: dict[int, int] = {}  # entries of items that were accepted before
        self._help: dict[Wallet, str] = {}
        self._answers: dict[int, dict[str, object]] = {}

    def charge(self, *, at: datetime) -> list[dict[str, object]]:
        """Charge what can be charged and return an answer for each item, in order."""
        self._read()
        self._prepare(at=at)
        self._spend(at=at)
        self._repeat()
        return [self._answers[place] for place in range(len(self._sent))]

    def _read(self) -> None:
        for place, item in enumerate(self._sent):
            try:
                self._jobs[place] = BatchItemIn.model_validate(item)
            except ValidationError as unfit:
                self._refuse(place, problems.invalid(map(_error, unfit.errors())))

    def _prepare(self, *, at: datetime) -> None:
        self._address(at=at)
        members = Members(
            (target.wallet.account_id, job.member)
            for job in self._jobs.values()
            if (target := self._targets.get((job.account, job.unit)))
        )
        for place, job in self._jobs.items():
            try:
                command = self._command(job, members, at=at)
            except _REFUSED as refusal:
                self._refuse(place, refusal)
                continue
            if isinstance(command, LedgerEntry):
                self._first[place] = command.pk
            else:
                self._commands[place] = command

    def _address(self, *, at: datetime) -> None:
        jobs = self._jobs.values()
        for unit in {job.unit for job in jobs}:
            names = {job.account for job in jobs if job.unit is unit}
            found = all_addressed(self._key, names, unit=unit, at=at)
            self._targets |= {(name, unit): target for name, target in found.items()}

    def _command(
        self, job: BatchItemIn, members: Members, *, at: datetime
    ) -> ledger.Spend | LedgerEntry:
        target = self._targets.get((job.account, job.unit))
        if target is None:
            raise not_addressed(self._key, job.account, unit=job.unit, at=at)
        return command_for(
            *(job, target, members),
            key=ledger_key(job.key),
            actor=actor_of(self._key),
            at=at,
        )

    def _spend(self, *, at: datetime) -> None:
        if not self._commands:
            return
        outcomes = ledger.spend_batch([*self._commands.values()], at=at)
        left: dict[Wallet, int] = {}
        for place, outcome in zip(self._commands, outcomes, strict=True):
            job, command = self._jobs[place], self._commands[place]
            target = self._targets[job.account, job.unit]
            if isinstance(outcome, ledger.CreditsError):
                self._refuse(place, self._helped(outcome, target.wallet))
            elif outcome.is_replay:
                self._first[place] = outcome.entry_id
            else:
                self._accept(place, 201, charged(job, command, outcome, target))
                left[target.wallet] = outcome.available
        tell_falls(left)

    def _helped(
        self, refusal: ledger.CreditsError, wallet: Wallet
    ) -> ledger.CreditsError:
        """Note what is done about credits that run short; each wallet is asked once."""
        if isinstance(refusal, ledger.InsufficientCredits):
            if wallet not in self._help:
                note_help(refusal, wallet)
                self._help[wallet] = refusal.reload
            refusal.reload = self._help[wallet]
        return refusal

    def _repeat(self) -> None:
        debits = recorded([*self._first.values()])
        for place, entry_id in self._first.items():
            self._accept(place, 200, debits[entry_id])

    def _accept(self, place: int, status: int, debit: DebitOut) -> None:
        answer = BatchedDebitOut(**dict(debit), status=status)
        self._answers[place] = answer.model_dump()

    def _refuse(self, place: int, refusal: Exception) -> None:
        self._answers[place] = problem_of(refusal).document


def _error(error: ErrorDetails) -> dict[str, str]:
    return {"detail": error["msg"], "pointer": problems.pointer(error["loc"])}
