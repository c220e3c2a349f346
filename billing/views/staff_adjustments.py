"""The adjustment desk: what waits for a second person, and what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing import adjusting
from billing.adjusting import AdjustmentRefused, desk
from billing.adjusting.forms import DeskFilter, RejectForm
from billing.models import AdjustmentState
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from accounts.models import User
    from billing.adjusting import Preview
    from billing.models import Adjustment

_LISTED = 100
_APPROVED_FIRST = gettext_lazy("You have approved it: one more person has to.")


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def adjustment_list(request: StaffRequest) -> HttpResponse:
    """List adjustments, those that wait first."""
    form = DeskFilter(request.GET or None)
    found = desk.listed(form.wanted, limit=_LISTED)
    context = {
        "form": form,
        "rows": [(one, desk.LEVELS[AdjustmentState(one.state)]) for one in found],
        "waiting": desk.waiting(now()),
    }
    return render(request, "billing/staff/adjustments.html", context)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def adjustment_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show an adjustment: what, why, who, and what may be done about it."""
    return _page(request, _adjustment(public_id), RejectForm())


@require_POST
@staff_page(StaffPermission.APPROVE, fresh=True)
def approve_adjustment(request: StaffRequest, public_id: str) -> HttpResponse:
    """Agree to an adjustment as it was shown."""
    adjustment = _adjustment(public_id)
    try:
        if _shown(adjustment) != request.POST.get("shown", ""):
            messages.warning(request, _("Something has changed. Check it again."))
            return _page(request, adjustment, RejectForm(), status=409)
        decided = adjusting.approve(adjustment.pk, by=request.user, at=now())
    except AdjustmentRefused as refused:
        messages.error(request, str(refused))
    else:
        _say(request, decided)
    return see_other("billing:staff_adjustment", public_id)


@require_POST
@staff_page(StaffPermission.APPROVE, fresh=True)
def reject_adjustment(request: StaffRequest, public_id: str) -> HttpResponse:
    """Refuse an adjustment and say why."""
    adjustment, form = _adjustment(public_id), RejectForm(request.POST)
    if not form.is_valid():
        return _page(request, adjustment, form, status=422)
    reason = form.cleaned_data["reason"]
    try:
        adjusting.reject(adjustment.pk, by=request.user, reason=reason, at=now())
    except AdjustmentRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("It was rejected: nothing has changed."))
    return see_other("billing:staff_adjustment", public_id)


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def withdraw_adjustment(request: StaffRequest, public_id: str) -> HttpResponse:
    """Take back what oneself proposed."""
    adjustment = _adjustment(public_id)
    try:
        adjusting.withdraw(adjustment.pk, by=request.user, at=now())
    except AdjustmentRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("It was withdrawn: nothing has changed."))
    return see_other("billing:staff_adjustment", public_id)


def _adjustment(public_id: str) -> Adjustment:
    adjustment = desk.find(public_id)
    if adjustment is None:
        raise Http404
    return adjustment


def _previewed(adjustment: Adjustment) -> Preview:
    return adjusting.preview(adjusting.draft_of(adjustment), at=now())


def _shown(adjustment: Adjustment) -> str:
    # What was proposed, and what it would do now: both have to be what was shown.
    return f"{adjustment.content_hash}:{_previewed(adjustment).shown}"


def _say(request: StaffRequest, adjustment: Adjustment) -> None:
    if adjustment.state == AdjustmentState.MADE:
        messages.success(request, _("It was approved and made."))
    else:
        messages.warning(request, _APPROVED_FIRST)


def _page(
    request: StaffRequest,
    adjustment: Adjustment,
    form: RejectForm,
    *,
    status: int = 200,
) -> HttpResponse:
    permissions = permissions_of(request.user)
    may_adjust = StaffPermission.ADJUST in permissions
    context = {
        "adjustment": adjustment,
        "level": desk.LEVELS[AdjustmentState(adjustment.state)],
        "reversal": desk.reversal(adjustment),
        "reject_form": form,
        "is_own": adjustment.proposed_by == request.user,
        "may_adjust": may_adjust,
        "may_approve": StaffPermission.APPROVE in permissions,
        "may_reverse": may_adjust and adjusting.is_reversible(adjustment),
        **_effect(adjustment, request.user),
    }
    return render(request, "billing/staff/adjustment.html", context, status=status)


def _effect(adjustment: Adjustment, reader: User) -> dict[str, object]:
    """Return what it does: now while it waits, afterwards as it was proposed."""
    figures = adjustment.previewed
    if not adjustment.is_waiting:
        return {"comparison": desk.comparison(figures)}
    try:
        previewed = _previewed(adjustment)
    except AdjustmentRefused as refused:
        problem = _("It cannot be made now: %(why)s") % {"why": refused}
        return {"comparison": desk.comparison(figures), "problem": problem}
    first = adjustment.first_approved_by
    return {
        "comparison": desk.comparison(previewed.figures),
        "shown": f"{adjustment.content_hash}:{previewed.shown}",
        "needs_two": adjustment.approvals_needed == 2 and first is None,
        "problem": _APPROVED_FIRST if first == reader else "",
    }
