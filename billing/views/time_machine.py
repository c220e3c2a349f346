"""The time machine's page: where the clock stands, where to move it, what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from billing import happenings, stripe_gateway, time_machine
from billing.core.periods import add_months
from billing.forms import TravelForm
from billing.plans.subscribing import next_renewal
from config import clock

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.http import StaffRequest

# Stripe charges an hour after a term has ended; then its credits are there.
_CHARGED_AFTER = timedelta(hours=2)
_FARTHEST, _LISTED = timedelta(days=400), 300


@require_safe
@staff_page(StaffPermission.TRAVEL)
def time_page(request: StaffRequest) -> HttpResponse:
    """Show the clock, ways to move it, and what the last journey brought."""
    return _page(request, TravelForm())


@require_POST
@staff_page(StaffPermission.TRAVEL)
def travel(request: StaffRequest) -> HttpResponse:
    """Move the clock, and lead to the report of what happened."""
    form = TravelForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    to = _target(form, now=clock.now())
    try:
        journey = _travel(to)
    except stripe_gateway.BillingError as refused:
        messages.error(request, str(refused))
        return redirect("billing:time")
    window = {"since": journey.since.isoformat(), "until": journey.until.isoformat()}
    return redirect(f"{reverse('billing:time')}?{urlencode(window)}")


def _travel(to: datetime) -> time_machine.Journey:
    if to - clock.now() > _FARTHEST:
        raise time_machine.CannotTravel(_("At most 400 days at once."))
    return time_machine.travel(to=to)


def _target(form: TravelForm, *, now: datetime) -> datetime:
    match form.cleaned_data["step"]:
        case "day":
            return now + timedelta(days=1)
        case "month":
            return add_months(now, 1)
        case "renewal":
            return (next_renewal(at=now) or now) + _CHARGED_AFTER
    day = form.cleaned_data["date"]
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _page(request: HttpRequest, form: TravelForm, status: int = 200) -> HttpResponse:
    since, until = (_instant(request, name) for name in ("since", "until"))
    happened = (
        happenings.between(since, until, limit=_LISTED) if since and until else None
    )
    now = clock.now()
    context = {
        "now": now,
        "days_ahead": round(clock.offset() / timedelta(days=1)),
        "next_renewal": next_renewal(at=now),
        "form": form,
        "since": since,
        "until": until,
        "happened": happened,
        "is_cut": happened is not None and len(happened) == _LISTED,
    }
    return render(request, "billing/time_machine.html", context, status=status)


def _instant(request: HttpRequest, name: str) -> datetime | None:
    try:
        instant = parse_datetime(request.GET.get(name, ""))
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None
