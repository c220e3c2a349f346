"""What the pages of adjustment files and of make-goods share: propose, decide, show."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.http import is_htmx, see_other
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of
from billing import adjusting, batches, tasks
from billing.adjusting import AdjustmentRefused
from billing.adjusting.forms import RejectForm
from billing.batch_forms import CommentForm
from billing.models import BatchState
from billing.views.polling import polling
from config.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.batches import AnyBatch

    Verb = Callable[..., AnyBatch]
    Show = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page of a batch asks for: why, or why not."""

    why: CommentForm = field(default_factory=CommentForm)
    why_not: RejectForm = field(default_factory=RejectForm)


def propose(
    request: StaffRequest, batch: AnyBatch, verb: Verb, *, show: Show
) -> HttpResponse:
    """Propose what a batch does, or its undoing: as it was explained."""
    form = CommentForm(request.POST)
    if not form.is_valid():
        return show(request, batch, Asked(why=form), status=422)
    try:
        made = verb(batch.pk, **form.cleaned_data, by=request.user, at=now())
    except AdjustmentRefused as refused:
        form.add_error(None, str(refused))
        return show(request, batch, Asked(why=form), status=422)
    return begin(request, made)


def begin(request: StaffRequest, batch: AnyBatch) -> HttpResponse:
    """Lead to what was proposed, which begins now unless it waits for somebody."""
    if batch.is_waiting:
        messages.warning(request, _("Nothing has changed yet: this needs approval."))
    _begin_soon()
    return _page_of(batch)


def reject(
    request: StaffRequest, batch: AnyBatch, verb: Verb, *, show: Show
) -> HttpResponse:
    """Refuse a batch, if it is said why."""
    form = RejectForm(request.POST)
    if not form.is_valid():
        return show(request, batch, Asked(why_not=form), status=422)
    reason = form.cleaned_data["reason"]
    return decide(request, batch, partial(verb, reason=reason))


def decide(request: StaffRequest, batch: AnyBatch, verb: Verb) -> HttpResponse:
    """Decide on a batch, or say why that cannot be."""
    try:
        verb(batch, by=request.user, at=now())
        _begin_soon()
    except AdjustmentRefused as refused:
        messages.error(request, str(refused))
    return _page_of(batch)


def page(
    request: StaffRequest,
    batch: AnyBatch,
    asked: Asked,
    *,
    template: str,
    may_be_undone: bool,
    about: Mapping[str, object],
    status: int,
) -> HttpResponse:
    """Show what a batch is about, where it stands, and what may be done about it."""
    permissions = permissions_of(request.user)
    may_adjust = StaffPermission.ADJUST in permissions
    context = {
        "batch": batch,
        "level": batches.LEVELS[BatchState(batch.state)],
        "form": asked.why,
        "reject_form": asked.why_not,
        "room": adjusting.room(request.user, at=now()),
        "undo": batch.undoings.order_by("pk").last(),
        "is_own": batch.proposed_by == request.user,
        "may_adjust": may_adjust,
        "may_approve": StaffPermission.APPROVE in permissions,
        "may_undo": may_adjust and may_be_undone,
        **polling(request),
        **about,
    }
    name = "_batch_status.html" if is_htmx(request) else template
    return render(request, f"billing/staff/{name}", context, status=status)


def _page_of(batch: AnyBatch) -> HttpResponse:
    return see_other(batches.VIEWS[type(batch)], batch.public_id)


def _begin_soon() -> None:
    def nudge() -> None:
        tasks.carry_out_batches.delay()

    # Without a broker beat does it.
    transaction.on_commit(nudge, robust=True)
