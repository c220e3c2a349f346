"""The desk of background jobs: what waits, what is late, and when tasks last ran."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.desks import desks_for
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from accounts.templatetags import units
from billing.console import due_work
from billing.console.chores import MOST
from config.clock import now, real_now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.console.due_work import DueWork, TimetableEntry

_MILLISECOND, _SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
_MINUTE, _DAYS = timedelta(minutes=1), timedelta(days=2)
# Several runs of each task have been missed by then.
_SILENT = timedelta(minutes=15)


@require_safe
@staff_page(StaffPermission.OPEN_CONSOLE)
def jobs_page(request: StaffRequest) -> HttpResponse:
    """Show what waits of each chore, the late ones first, and the timetable."""
    found = due_work.due_work(at=now())
    waiting = [due for due in found if due.number]
    waiting.sort(key=lambda due: not due.is_late)
    may_open = {desk.url_name for desk in desks_for(permissions_of(request.user))}
    entries = due_work.timetable()
    context = {
        "late": sum(due.is_late for due in waiting),
        "waiting": [_row(due, may_open) for due in waiting],
        "idle": [due.chore for due in found if not due.number],
        "entries": [_entry(one) for one in entries],
        "is_running": any(one.last_run and not _is_silent(one) for one in entries),
    }
    return render(request, "billing/staff/jobs.html", context)


def _row(due: DueWork, may_open: set[str]) -> dict[str, object]:
    desk = due.chore.desk
    number = units.credits(min(due.number, MOST))
    return {
        "chore": due.chore,
        "number": f"{number}+" if due.number > MOST else number,
        "oldest": _span(due.oldest or timedelta()),
        "bar": _span(due.chore.bar),
        "is_late": due.is_late,
        "url": reverse(desk) if desk in may_open else "",
    }


def _entry(entry: TimetableEntry) -> dict[str, object]:
    run = entry.last_run
    return {
        "name": entry.name,
        "every": _span(entry.every),
        "ago": _span(real_now() - run.ended_at) if run else "",
        "took": units.duration(run.took // _MILLISECOND) if run else "",
        "has_failed": run is not None and not run.is_good,
        "is_silent": _is_silent(entry),
    }


def _is_silent(entry: TimetableEntry) -> bool:
    return bool(entry.last_run and real_now() - entry.last_run.ended_at > _SILENT)


def _span(span: timedelta) -> str:
    """Return a span as people say it: in days, or in minutes, or in seconds."""
    if span >= _DAYS:
        return units.age(span)
    unit = _MINUTE if span >= _MINUTE else _SECOND
    return units.duration(span // unit * unit // _MILLISECOND)
