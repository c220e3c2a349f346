"""The reconciliation desk: where Stripe differs from us, and what is done about it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from accounts.templatetags.units import age
from billing.models import Break, BreakKind, BreakState, Reconciliation
from billing.reconciling import repairing, running, wording
from billing.reconciling.forms import IgnoreBreakForm, NoteForm, RunForm
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest

_LISTED = 200
_LEVELS = {
    BreakState.OPEN: "danger",
    BreakState.REPAIRED: "success",
    BreakState.GONE: "success",
}


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def reconciliation(request: StaffRequest) -> HttpResponse:
    """Show the last comparison, and the breaks of a state: the open ones at first."""
    state = request.GET.get("state", "")
    if state not in BreakState.values:
        state = BreakState.OPEN
    at = now()
    breaks = Break.objects.filter(state=state).select_related("account", "owner")
    rows = list(breaks.order_by("first_seen_at", "pk")[:_LISTED])
    counted = Counter(breaks.values_list("kind", flat=True))
    context = {
        "rows": [(one, age(one.age(at=at))) for one in rows],
        "is_cut": len(rows) == _LISTED,
        "kinds": [(kind.label, counted[kind]) for kind in BreakKind if counted[kind]],
        "states": [(one, one.label, one == state) for one in BreakState],
        "last": Reconciliation.objects.exclude(finished_at=None).order_by("pk").last(),
        "waiting": Reconciliation.objects.filter(finished_at=None).last(),
        "form": RunForm(),
        "may_work": StaffPermission.RECONCILE in permissions_of(request.user),
    }
    return render(request, "billing/staff/reconciliation.html", context)


@require_POST
@staff_page(StaffPermission.RECONCILE)
def reconcile(request: StaffRequest) -> HttpResponse:
    """Ask for a comparison."""
    form = RunForm(request.POST)
    if form.is_valid():
        at, days = now(), form.cleaned_data["days"]
        since = at - timedelta(days=days) if days else None
        running.ask(since=since, by=request.user, at=at)
        messages.info(request, _("It begins within a minute."))
    return see_other("billing:staff_reconciliation")


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def break_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show a break: what both sides say, what to do, and who looks after it."""
    return _break_page(request, _found(public_id), IgnoreBreakForm())


@require_POST
@staff_page(StaffPermission.RECONCILE, fresh=True)
def repair(request: StaffRequest, public_id: str) -> HttpResponse:
    """Let Stripe's object be looked at again, and say what came of it."""
    found = _found(public_id)
    try:
        repairing.repair(found, by=request.user, at=now())
    except repairing.NotRepaired as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request, _("Repaired. The next comparison says whether that was enough.")
        )
    return see_other("billing:staff_break", public_id)


@require_POST
@staff_page(StaffPermission.RECONCILE, fresh=True)
def ignore_break(request: StaffRequest, public_id: str) -> HttpResponse:
    """Leave a break as it is, for a reason."""
    found, form = _found(public_id), IgnoreBreakForm(request.POST)
    if not form.is_valid():
        return _break_page(request, found, form, status=422)
    reason = form.cleaned_data["reason"]
    repairing.ignore(found, reason=reason, by=request.user, at=now())
    messages.success(request, _("Ignored, until its figures change."))
    return see_other("billing:staff_break", public_id)


@require_POST
@staff_page(StaffPermission.RECONCILE)
def note_break(request: StaffRequest, public_id: str) -> HttpResponse:
    """Write down who looks after a break, and what they know of it."""
    found, form = _found(public_id), NoteForm(request.POST)
    if form.is_valid():
        is_mine, note = form.cleaned_data["is_mine"], form.cleaned_data["note"]
        keeps = found.owner if found.owner != request.user else None
        owner = request.user if is_mine else keeps
        repairing.assign(found, owner=owner, note=note, by=request.user, at=now())
        messages.success(request, _("Saved."))
    return see_other("billing:staff_break", public_id)


def _found(public_id: str) -> Break:
    return get_object_or_404(
        Break.objects.select_related("account", "owner"), public_id=public_id
    )


def _break_page(
    request: StaffRequest, found: Break, form: IgnoreBreakForm, status: int = 200
) -> HttpResponse:
    noted = {"is_mine": found.owner == request.user, "note": found.note}
    context = {
        "found": found,
        "level": _LEVELS.get(BreakState(found.state)),
        "age": age(found.age(at=now())),
        "figures": wording.figures_of(found),
        "advice": wording.ADVICE[BreakKind(found.kind)],
        "is_open": found.state == BreakState.OPEN,
        "form": form,
        "note_form": NoteForm(initial=noted),
        "may_work": StaffPermission.RECONCILE in permissions_of(request.user),
    }
    return render(request, "billing/staff/break.html", context, status=status)
