"""The work queue: what waits for somebody of the staff, and what is done about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from accounts.templatetags.units import age
from billing.console import queue, wording
from billing.console.forms import CloseForm, TakeForm, WorkNoteForm
from billing.models import WebhookSubject, WorkItem, WorkKind, WorkState
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest

_LISTED = 200
_LEVELS = {WorkState.OPEN: "warning", WorkState.DONE: "success"}


@require_safe
@staff_page(StaffPermission.WORK_QUEUE)
def queue_page(request: StaffRequest) -> HttpResponse:
    """Show the items of a state, the open ones at first, those that wait longest."""
    state = request.GET.get("state", "")
    if state not in WorkState.values:
        state = WorkState.OPEN
    kind, at = request.GET.get("kind", ""), now()
    items = WorkItem.objects.filter(state=state)
    counted = Counter(items.values_list("kind", flat=True))
    if kind in WorkKind.values:
        items = items.filter(kind=kind)
    newest_first = state != WorkState.OPEN
    order = ("-closed_at", "-pk") if newest_first else ("first_seen_at", "pk")
    rows = list(items.select_related("account", "owner").order_by(*order)[:_LISTED])
    context = {
        "rows": [(one, wording.facts_of(one), age(one.age(at=at))) for one in rows],
        "is_cut": len(rows) == _LISTED,
        "state": state,
        "states": [(one, one.label, one == state) for one in WorkState],
        "kinds": [
            (one, one.label, counted[one], one == kind)
            for one in WorkKind
            if counted[one]
        ],
    }
    return render(request, "billing/staff/queue.html", context)


@require_safe
@staff_page(StaffPermission.WORK_QUEUE)
def work_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show an item: what is known of it, what to do, and who looks after it."""
    return _work_page(request, _found(public_id), CloseForm())


@require_POST
@staff_page(StaffPermission.WORK_QUEUE)
def take_work(request: StaffRequest, public_id: str) -> HttpResponse:
    """Look after an item from now on."""
    item, form = _found(public_id), TakeForm(request.POST)
    if form.is_valid():
        # Whom the page showed: somebody else may have taken it since.
        item.owner_id = form.cleaned_data["owner"]
        try:
            queue.take(item, by=request.user, at=now())
        except (queue.NotOpen, queue.TakenMeanwhile) as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("It is yours."))
    return see_other("billing:staff_work", public_id)


@require_POST
@staff_page(StaffPermission.WORK_QUEUE)
def note_work(request: StaffRequest, public_id: str) -> HttpResponse:
    """Write down what is known of an item."""
    item, form = _found(public_id), WorkNoteForm(request.POST)
    if form.is_valid():
        queue.note(item, text=form.cleaned_data["note"], by=request.user, at=now())
        messages.success(request, _("Saved."))
    return see_other("billing:staff_work", public_id)


@require_POST
@staff_page(StaffPermission.WORK_QUEUE)
def close_work(request: StaffRequest, public_id: str) -> HttpResponse:
    """Close an item as done or ignored, for a reason."""
    item, form = _found(public_id), CloseForm(request.POST)
    if not form.is_valid():
        return _work_page(request, item, form, status=422)
    state = WorkState(form.cleaned_data["state"])
    reason = form.cleaned_data["reason"]
    try:
        queue.close(item, state, reason=reason, by=request.user, at=now())
    except queue.NotOpen as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Closed."))
    return see_other("billing:staff_work", public_id)


@require_POST
@staff_page(StaffPermission.WORK_QUEUE, fresh=True)
def charge_work(request: StaffRequest, public_id: str) -> HttpResponse:
    """Charge an unbilled job now, if there are credits for it (R72)."""
    item = _found(public_id, kind=WorkKind.UNBILLED_JOB)
    try:
        queue.charge(item, by=request.user, at=now())
    except (queue.NotOpen, queue.NotCharged) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The job is charged."))
    return see_other("billing:staff_work", public_id)


def _found(public_id: str, **wanted: str) -> WorkItem:
    items = WorkItem.objects.select_related("account", "owner")
    return get_object_or_404(items, public_id=public_id, **wanted)


def _work_page(
    request: StaffRequest, item: WorkItem, form: CloseForm, status: int = 200
) -> HttpResponse:
    context = {
        "item": item,
        "level": _LEVELS.get(WorkState(item.state)),
        "facts": wording.facts_of(item),
        "advice": wording.ADVICE[WorkKind(item.kind)],
        "age": age(item.age(at=now())),
        "is_job": item.kind == WorkKind.UNBILLED_JOB,
        "told": WebhookSubject.objects.filter(stripe_object_id=item.subject).first()
        if item.kind == WorkKind.UNKNOWN_WEBHOOK
        else None,
        "form": form,
        "note_form": WorkNoteForm(initial={"note": item.note}),
    }
    return render(request, "billing/staff/work.html", context, status=status)
