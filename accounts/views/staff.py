"""The staff console's first page: the desks, and what waits at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.desks import desks_for
from accounts.roles import StaffPermission
from accounts.staff_access import needs_second_factor, permissions_of, staff_page
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.desks import Desk
    from accounts.http import StaffRequest


@dataclass(frozen=True, slots=True)
class Tile:
    """A desk as the first page shows it; `waiting` is None where nothing is counted."""

    url: str
    label: str
    icon: str
    about: str
    waiting: int | None


@require_safe
@staff_page(StaffPermission.OPEN_CONSOLE)
def staff_home(request: StaffRequest) -> HttpResponse:
    """Show the desks that the viewer may open."""
    at = now()
    context = {
        "tiles": [_tile(one, at=at) for one in desks_for(permissions_of(request.user))],
        "needs_second_factor": needs_second_factor(request.user),
    }
    return render(request, "staff/home.html", context)


def _tile(desk: Desk, *, at: datetime) -> Tile:
    return Tile(
        url=reverse(desk.url_name),
        label=str(desk.label),
        icon=desk.icon,
        about=str(desk.about),
        waiting=desk.waiting(at) if desk.waiting else None,
    )
