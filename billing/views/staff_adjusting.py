"""Adjusting an account's credits: what, what it changes, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.models import Account
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from billing import adjusting
from billing.adjusting import AdjustmentRefused, desk
from billing.adjusting.forms import DraftForm, WhyForm
from billing.refunds.forms import ShownForm
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.adjusting import Draft
    from billing.models import Adjustment


@require_safe
@staff_page(StaffPermission.ADJUST)
def adjust(request: StaffRequest, public_id: str) -> HttpResponse:
    """Ask what is to be done to the credits of an account."""
    account = get_object_or_404(Account, public_id=public_id)
    return _form_page(request, DraftForm(account, request.GET, at=now()))


@require_safe
@staff_page(StaffPermission.ADJUST)
def preview_adjustment(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show what that would change, and ask why."""
    account = get_object_or_404(Account, public_id=public_id)
    form = DraftForm(account, request.GET, at=now())
    if not form.is_valid():
        return _form_page(request, form, status=422)
    return _preview_page(request, form, WhyForm())


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def make_adjustment(request: StaffRequest, public_id: str) -> HttpResponse:
    """Do it as it was shown, or let somebody else decide."""
    account = get_object_or_404(Account, public_id=public_id)
    form = DraftForm(account, request.POST, at=now())
    if not form.is_valid():
        return _form_page(request, form, status=422)
    why = WhyForm(request.POST)
    outcome = propose_as_shown(request, form.draft, why)
    if isinstance(outcome, int):
        return _preview_page(request, form, why, status=outcome)
    return see_other("billing:staff_adjustment", outcome.public_id)


@require_safe
@staff_page(StaffPermission.ADJUST)
def preview_reversal(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show what reversing an adjustment would take or put back."""
    return _reversal_page(request, _adjustment(public_id), WhyForm())


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def reverse_adjustment(request: StaffRequest, public_id: str) -> HttpResponse:
    """Reverse an adjustment as it was shown, or let somebody else decide."""
    adjustment, why = _adjustment(public_id), WhyForm(request.POST)
    try:
        draft = adjusting.reversal_of(adjustment)
    except AdjustmentRefused as refused:
        messages.error(request, str(refused))
        return see_other("billing:staff_adjustment", public_id)
    outcome = propose_as_shown(request, draft, why)
    if isinstance(outcome, int):
        return _reversal_page(request, adjustment, why, status=outcome)
    return see_other("billing:staff_adjustment", outcome.public_id)


def propose_as_shown(
    request: StaffRequest, draft: Draft, why: WhyForm
) -> Adjustment | int:
    """Propose a draft, and make it if that needs nobody else.

    Returns the status of the page to show again if it is not what was shown.
    """
    shown = ShownForm(request.POST)
    if not (why.is_valid() and shown.is_valid()):
        return 422
    try:
        previewed = adjusting.preview(draft, at=now())
        if previewed.shown != shown.cleaned_data["shown"]:
            messages.warning(request, _("Something has changed. Check it again."))
            return 409
        adjustment = adjusting.adjust(
            draft,
            why.why,
            previewed=previewed,
            by=request.user,
            form_key=shown.cleaned_data["form_key"],
            at=now(),
        )
    except AdjustmentRefused as refused:
        why.add_error(None, str(refused))
        return 422
    if adjustment.is_waiting:
        messages.warning(request, _("Nothing has changed yet: this needs approval."))
    else:
        messages.success(request, _("The credits were adjusted."))
    return adjustment


def _adjustment(public_id: str) -> Adjustment:
    adjustment = desk.find(public_id)
    if adjustment is None:
        raise Http404
    return adjustment


def _form_page(
    request: StaffRequest, form: DraftForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "account": form.account,
        "form": form,
        "room": adjusting.room(request.user, at=now()),
    }
    return render(request, "billing/staff/adjust.html", context, status=status)


def _preview_page(
    request: StaffRequest, form: DraftForm, why: WhyForm, *, status: int = 200
) -> HttpResponse:
    try:
        context = _preview_context(request, form.draft)
    except AdjustmentRefused as refused:
        form.add_error(None, str(refused))
        return _form_page(request, form, status=422)
    context |= {"account": form.account, "form": form, "why": why}
    return render(
        request, "billing/staff/preview_adjustment.html", context, status=status
    )


def _reversal_page(
    request: StaffRequest, adjustment: Adjustment, why: WhyForm, *, status: int = 200
) -> HttpResponse:
    try:
        context = _preview_context(request, adjusting.reversal_of(adjustment))
    except AdjustmentRefused as refused:
        messages.error(request, str(refused))
        return see_other("billing:staff_adjustment", adjustment.public_id)
    context |= {"account": adjustment.account, "reverses": adjustment, "why": why}
    return render(
        request, "billing/staff/preview_adjustment.html", context, status=status
    )


def _preview_context(request: StaffRequest, draft: Draft) -> dict[str, object]:
    previewed = adjusting.preview(draft, at=now())
    room = adjusting.room(request.user, at=now())
    return {
        "draft": draft,
        "preview": previewed,
        "comparison": desk.comparison(previewed.figures),
        "approvals": adjusting.approvals_for(draft, room=room),
        "room": room,
        "form_key": uuid4().hex,
    }
