"""What is measured of a renewal: each block yields figures, which the goals compare."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench import renewal_by_orm
from bench.lab import ROOT
from bench.renewal_books import Group, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from bench.blocks import Figures
    from bench.lab import Lab
    from bench.renewal_books import Books

_WORKERS = 2
_AIM_MS = 50  # what a chunk may take: credits/chunks.py


class Renewals:
    """The blocks of a round. Each grants its own group's months."""

    def __init__(self, lab: Lab, books: Books, crew: Crew, *, seconds: float) -> None:
        """Remember what there is to grant, and who grants it."""
        self._lab, self._books, self._crew = lab, books, crew
        self._seconds = seconds
        self._chance = random.Random(1)  # noqa: S311 - the same load each time

    def round(self, month: int) -> Figures:
        """Run every block, each after a checkpoint."""
        figures: Figures = {"aim_ms": _AIM_MS}
        for block in (self.ours, self.floor, self.by_orm, self.beside, self.debit):
            self._lab.checkpoint()
            figures |= block(month)
        return figures

    def ours(self, month: int) -> Figures:
        """Measure the portal's own step."""
        at = self._books.begins(month, Group.OURS)
        started = time.monotonic()
        due = self._crew.renew(at)
        seconds = time.monotonic() - started
        self._count(due, Group.OURS)
        return {"renewed": due / seconds}

    def floor(self, month: int) -> Figures:
        """Measure the same rows without anything else."""
        size = self._books.sizes[Group.FLOOR]
        begins, first = self._books.begins, self._books.first(Group.FLOOR)
        statements = filled(
            "renewal_floor.sql",
            first=first,
            size=size,
            month=month,
            months=self._books.months,
            at=begins(month, Group.FLOOR),
            ends_at=begins(month + 1, Group.FLOOR),
            expires_at=begins(12, Group.FLOOR),
            last_grant=self._last("credits_creditgrant_id_seq"),
            last_entry=self._last("credits_ledgerentry_id_seq"),
        )
        seconds = _timed(lambda: self._lab.admin.execute(statements.encode()))
        self._lab.entries += size
        return {"floor": size / seconds}

    def by_orm(self, month: int) -> Figures:
        """Measure what Django's models make of it."""
        at = self._books.begins(month, Group.ORM)
        started = time.monotonic()
        granted = renewal_by_orm.grant_due(at=at)
        self._lab.entries += granted
        return {"orm": granted / (time.monotonic() - started)}

    def beside(self, month: int) -> Figures:
        """Measure the longest wait of debits in wallets that are being renewed."""
        at = self._books.begins(month, Group.BESIDE)
        started = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            renewal = pool.submit(self._crew.renew, at)
            beside = self._longest_wait(at, until=renewal.done)
        self._count(renewal.result(), Group.BESIDE)
        ended = time.monotonic()
        as_long = ended + (ended - started)
        alone = self._longest_wait(at, until=lambda: time.monotonic() > as_long)
        return {"wait_beside_ms": beside, "wait_alone_ms": alone}

    def debit(self, month: int) -> Figures:
        """Measure single debits of wallets that were renewed."""
        wallets = self._books.sizes[Group.OURS]
        tps = self._lab.pgbench(
            "debit", seconds=self._seconds, wallets=wallets, entries_each=1
        )
        return {"debit": tps}

    def _count(self, due: int, group: Group) -> None:
        self._lab.entries += due
        expected = self._books.sizes[group]
        if due != expected:
            message = f"{due} months of {group.name} were due, not {expected}"
            raise RuntimeError(message)

    def _longest_wait(self, at: datetime, *, until: Callable[[], bool]) -> float:
        from credits import ledger  # noqa: PLC0415

        first = self._books.first(Group.BESIDE)
        last = first - 1 + self._books.sizes[Group.BESIDE]
        line, longest = ledger.UsedLine("look", 1, 1, 1), 0.0
        while not until():
            key = f"bench:{self._chance.getrandbits(64):016x}"
            spend = ledger.Spend(
                self._chance.randint(first, last), (line,), key, "bench"
            )
            longest = max(longest, _timed(lambda: ledger.spend(spend, at=at)))  # noqa: B023
            self._lab.entries += 1
        return longest * 1000

    def _last(self, sequence: str) -> int:
        query = f"SELECT last_value FROM {sequence}"  # noqa: S608
        row = self._lab.admin.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


class Crew:
    """The workers, which wait for instants."""

    def __init__(self, workers: Sequence[subprocess.Popen[str]]) -> None:
        """Wait until each is ready."""
        self._workers = workers
        for worker in workers:
            _answer(worker)

    def renew(self, at: datetime) -> int:
        """Let all of them grant what is due; return how many months that were."""
        for worker in self._workers:
            print(at.isoformat(), file=worker.stdin, flush=True)
        return sum(int(_answer(worker)) for worker in self._workers)


@contextmanager
def crew() -> Iterator[Crew]:
    """Start the workers; they end when they are told nothing more."""
    command = [sys.executable, "-m", "bench.renewal_worker"]
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
        for _ in range(_WORKERS)
    ]
    try:
        yield Crew(workers)
    finally:
        for worker in workers:
            worker.communicate()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _answer(worker: subprocess.Popen[str]) -> str:
    line = worker.stdout.readline() if worker.stdout else ""
    if not line:
        raise RuntimeError("A worker ended; what it said is above.")
    return line
