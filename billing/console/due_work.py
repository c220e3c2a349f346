"""How much waits of each chore, for how long, and when the timetable last ran."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celery import current_app
from django.db.models import CharField, Value

from accounts.last_runs import LastRun, last_runs
from billing.console.chores import CHORES, MOST

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from django.db.models import Model, QuerySet

    from billing.console.chores import Chore


@dataclass(frozen=True, slots=True)
class DueWork:
    """How much of a chore waits: up to MOST + 1 rows, and for how long the oldest."""

    chore: Chore
    number: int
    oldest: timedelta | None

    @property
    def is_late(self) -> bool:
        """Whether something has waited for longer than it should."""
        return self.oldest is not None and self.oldest > self.chore.bar


@dataclass(frozen=True, slots=True)
class TimetableEntry:
    """A task that beat calls for again and again, and its last run, if it is known."""

    name: str
    task: str
    every: timedelta
    last_run: LastRun | None


def due_work(*, at: datetime) -> list[DueWork]:
    """Return what waits of each chore; all in one query, and one for auto-reload."""
    first, *others = (_rows(chore, at) for chore in CHORES)
    waiting: defaultdict[str, list[datetime]] = defaultdict(list)
    for name, since in first.union(*others, all=True):
        waiting[name].append(since)
    return [
        DueWork(
            chore,
            number=len(waiting[chore.name]),
            oldest=at - min(waiting[chore.name]) if waiting[chore.name] else None,
        )
        for chore in CHORES
    ]


def late(at: datetime) -> int:
    """Return how many chores are late."""
    return sum(due.is_late for due in due_work(at=at))


def timetable() -> list[TimetableEntry]:
    """Return what beat calls for, in its order."""
    entries = current_app.conf.beat_schedule
    runs = last_runs(entry["task"] for entry in entries.values())
    return [
        TimetableEntry(name, task, entry["schedule"], runs.get(task))
        for name, entry in entries.items()
        for task in [entry["task"]]
    ]


def _rows(chore: Chore, at: datetime) -> QuerySet[Model, tuple[str, datetime]]:
    named = chore.rows(at).annotate(
        chore_name=Value(chore.name, output_field=CharField()), waits_since=chore.since
    )
    rows: QuerySet[Model, tuple[str, datetime]]
    rows = named.values_list("chore_name", "waits_since")[: MOST + 1]
    return rows
