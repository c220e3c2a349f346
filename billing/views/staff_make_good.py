"""Incidents made good: found, shown, proposed, agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing import adjusting, batches, making_good
from billing.adjusting import AdjustmentRefused
from billing.batch_forms import IncidentForm, MakeGoodForm
from billing.models import BatchState, MakeGood
from billing.refunds.forms import ShownForm
from billing.views import batch_pages
from billing.views.batch_pages import Asked
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest

_LISTED = 50


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def incident_page(request: StaffRequest) -> HttpResponse:
    """Ask what failed and when; show what jobs of it cost, if that was said."""
    if "starts_at" not in request.GET:
        return _incident_page(request, _incident_form())
    form = _incident_form(request.GET)
    if not form.is_valid():
        return _incident_page(request, form, status=422)
    return _preview_page(request, form, MakeGoodForm())


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def propose_make_good(request: StaffRequest) -> HttpResponse:
    """Give back what was shown, or let somebody else decide."""
    form, why = _incident_form(request.POST), MakeGoodForm(request.POST)
    shown = ShownForm(request.POST)
    if not form.is_valid():
        return _incident_page(request, form, status=422)
    if not (why.is_valid() and shown.is_valid()):
        return _preview_page(request, form, why, status=422)
    try:
        make_good = making_good.propose(
            form.incident,
            **why.cleaned_data,
            **shown.cleaned_data,
            by=request.user,
            at=now(),
        )
    except making_good.FoundOtherwise as changed:
        messages.warning(request, str(changed))
        return _preview_page(request, form, why, status=409)
    except AdjustmentRefused as refused:
        why.add_error(None, str(refused))
        return _preview_page(request, form, why, status=422)
    return batch_pages.begin(request, make_good)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def make_good_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show an incident that is made good, and how far that is."""
    return _page(request, _found(public_id), Asked())


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def undo_make_good(request: StaffRequest, public_id: str) -> HttpResponse:
    """Take back all that was given, or let somebody else decide."""
    make_good, verb = _found(public_id), making_good.propose_undo
    return batch_pages.propose(request, make_good, verb, show=_page)


@require_POST
@staff_page(StaffPermission.APPROVE, fresh=True)
def approve_make_good(request: StaffRequest, public_id: str) -> HttpResponse:
    """Agree to it."""
    return batch_pages.decide(request, _found(public_id), batches.approve)


@require_POST
@staff_page(StaffPermission.APPROVE, fresh=True)
def reject_make_good(request: StaffRequest, public_id: str) -> HttpResponse:
    """Refuse it, and say why."""
    make_good = _found(public_id)
    return batch_pages.reject(request, make_good, making_good.reject, show=_page)


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def withdraw_make_good(request: StaffRequest, public_id: str) -> HttpResponse:
    """Take one's own proposal back."""
    return batch_pages.decide(request, _found(public_id), making_good.withdraw)


def _found(public_id: str) -> MakeGood:
    rows = MakeGood.objects.select_related("proposed_by", "decided_by", "undoes")
    return get_object_or_404(rows, public_id=public_id)


def _incident_form(*sent: object) -> IncidentForm:
    return IncidentForm(making_good.features_charged(), *sent)


def _incident_page(
    request: StaffRequest, form: IncidentForm, *, status: int = 200
) -> HttpResponse:
    made = MakeGood.objects.order_by("-proposed_at", "-pk")
    context = {
        "form": form,
        "make_goods": [
            (one, batches.LEVELS[BatchState(one.state)]) for one in made[:_LISTED]
        ],
    }
    return render(request, "billing/staff/make_goods.html", context, status=status)


def _preview_page(
    request: StaffRequest, form: IncidentForm, why: MakeGoodForm, *, status: int = 200
) -> HttpResponse:
    try:
        found = making_good.find(form.incident)
    except AdjustmentRefused as refused:
        form.add_error(None, str(refused))
        return _incident_page(request, form, status=422)
    context = {
        "form": form,
        "why": why,
        "found": found,
        "currency": settings.CURRENCY,
        "room": adjusting.room(request.user, at=now()),
        "form_key": uuid4().hex,
        "may_adjust": StaffPermission.ADJUST in permissions_of(request.user),
    }
    return render(request, "billing/staff/make_good_found.html", context, status=status)


def _page(
    request: StaffRequest,
    make_good: MakeGood,
    asked: Asked,
    *,
    status: int = 200,
) -> HttpResponse:
    return batch_pages.page(
        request,
        make_good,
        asked,
        template="make_good.html",
        may_be_undone=making_good.may_be_undone(make_good),
        about={"currency": settings.CURRENCY},
        status=status,
    )
