"""Changing the plan: chosen, shown, confirmed, and where that stands."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may
from billing import stripe_gateway
from billing.changes import (
    arranging,
    changing,
    consequences,
    losses,
    previewing,
    progress,
)
from billing.core.transitions import Move
from billing.forms import ConfirmChangeForm
from billing.models import ChangeKind, ChangeState
from billing.views.polling import polling
from config.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from accounts.models import Account
    from billing.changes.previewing import Preview
    from billing.models import PlanChange


@require_safe
@requires(Permission.CHANGE_PLAN)
def preview_change(request: AccountRequest) -> HttpResponse:
    """Show all that a change of plan would do, and what it costs now."""
    at = now()
    code, interval = request.GET.get("plan", ""), request.GET.get("interval", "")
    try:
        wanted = previewing.target(
            code,
            interval.upper() or "MONTH",
            at_once="now" in request.GET,
            at=at,
        )
        previewed = previewing.preview(request.account.pk, wanted, at=at)
    except stripe_gateway.BillingError as refusal:
        return _refused(request, refusal, at=at)
    form = ConfirmChangeForm(previewed=previewed)
    return _shown(request, previewed, form, at=at)


@require_POST
@requires(Permission.CHANGE_PLAN)
def confirm_change(request: AccountRequest) -> HttpResponse:
    """Make a change as it was shown, or show it again (R37)."""
    at = now()
    if change := _of_this_form(request):
        arranging.carry_on(change, at=at)
        return _go_on(change, at=at)
    try:
        return _confirm(request, at=at)
    except stripe_gateway.BillingError as refusal:
        # The other click of two may have made it meanwhile.
        if change := _of_this_form(request):
            return _go_on(change, at=at)
        return _refused(request, refusal, at=at)


@require_safe
@requires(Permission.VIEW_BILLING)
def change(request: AccountRequest, public_id: str) -> HttpResponse:
    """Show where a change stands, after asking Stripe once: the way back from it."""
    found = _change(request.account, public_id)
    if found.state in changing.OPEN:
        # Silence changes nothing: webhook and sweeper will tell.
        with suppress(stripe_gateway.StripeUnavailable):
            arranging.look(found, at=now())
        found = _change(request.account, public_id)
    return render(request, "billing/change.html", _status_context(request, found))


@require_safe
@requires(Permission.VIEW_BILLING)
def change_status(request: AccountRequest, public_id: str) -> HttpResponse:
    """Return where a change stands, as the fragment that asks again by itself."""
    context = _status_context(request, _change(request.account, public_id))
    return render(request, "billing/_change_status.html", context)


@require_POST
@requires(Permission.CHANGE_PLAN)
def undo_change(request: AccountRequest, public_id: str) -> HttpResponse:
    """Take a scheduled change back: the plan goes on (R27, R59)."""
    found = _change(request.account, public_id)
    # A new price is none of their changes (R36).
    if found.state == ChangeState.SCHEDULED and found.kind != ChangeKind.MIGRATE:
        _try(request, arranging.take_back, found)
    return see_other("billing:change", public_id)


@require_POST
@requires(Permission.CHANGE_PLAN)
def drop_change(request: AccountRequest, public_id: str) -> HttpResponse:
    """Drop a change that waits for a payment."""
    found = _change(request.account, public_id)
    if found.state in changing.OPEN:
        _try(request, arranging.give_up, found)
    return see_other("billing:change", public_id)


def _confirm(request: AccountRequest, *, at: datetime) -> HttpResponse:
    token = request.POST.get("token", "")
    previewed = arranging.shown_again(token, account=request.account, at=at)
    form = ConfirmChangeForm(request.POST, previewed=previewed)
    if not form.is_valid():
        return _shown(request, previewed, form, status=422, at=at)
    confirmed = changing.Request(
        user=request.user,
        form_key=form.cleaned_data["form_key"],
        comment=form.cleaned_data["comment"],
        agreed=consequences.agreement(
            previewed, address=request.META.get("REMOTE_ADDR")
        ),
    )
    made = arranging.make(previewed, confirmed, account=request.account, at=at)
    return _go_on(made, at=at)


def _of_this_form(request: AccountRequest) -> PlanChange | None:
    return changing.by_form(request.account.pk, request.POST.get("form_key", ""))


def _go_on(change: PlanChange, *, at: datetime) -> HttpResponse:
    """Lead to where a new plan is paid, or else to where the change stands."""
    if url := progress.progress_of(change, at=at).checkout_url:
        return see_other(url)
    return see_other("billing:change", change.public_id)


def _shown(
    request: AccountRequest,
    previewed: Preview,
    form: ConfirmChangeForm,
    *,
    at: datetime,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    is_cancel = previewed.move is Move.CANCEL
    context = {
        "preview": previewed,
        "token": previewing.issue(previewed),
        "form": form,
        "problem": problem,
        "next_bill_at": consequences.next_bill_at(previewed),
        "consequences": consequences.consequences(
            previewed, time_zone=request.user.time_zone
        ),
        "agreement": consequences.agreement(previewed, address=None),
        "losses": losses.losses_of(request.account.pk, at=at) if is_cancel else None,
        "legacy": losses.legacy_losses(previewed, at=at),
    }
    page = "billing/cancel.html" if is_cancel else "billing/preview_change.html"
    return render(request, page, context, status=status)


def _refused(
    request: AccountRequest, refusal: Exception, *, at: datetime
) -> HttpResponse:
    if isinstance(refusal, previewing.PreviewDiffers):
        form = ConfirmChangeForm(previewed=refusal.now)
        problem = str(refusal)
        return _shown(request, refusal.now, form, status=409, problem=problem, at=at)
    if isinstance(refusal, changing.ChangeInProgress) and refusal.change:
        messages.info(request, str(refusal))
        return see_other("billing:change", refusal.change.public_id)
    is_silent = isinstance(refusal, stripe_gateway.StripeUnavailable)
    context = {
        "sentence": _stripe_is_silent() if is_silent else str(refusal),
        "rule": getattr(refusal, "rule", ""),
    }
    status = 503 if is_silent else 409
    return render(request, "billing/change_refused.html", context, status=status)


def _try(
    request: AccountRequest, step: Callable[..., None], change: PlanChange
) -> None:
    try:
        step(change, at=now())
    except stripe_gateway.StripeUnavailable:
        messages.error(request, _stripe_is_silent())


def _change(account: Account, public_id: str) -> PlanChange:
    return get_object_or_404(changing.changes_of(account.pk), public_id=public_id)


def _status_context(request: AccountRequest, found: PlanChange) -> dict[str, object]:
    shown = progress.progress_of(found, at=now())
    may_change = may(request.membership.role, Permission.CHANGE_PLAN)
    return {"change": shown, "may_change": may_change, **polling(request)}


def _stripe_is_silent() -> str:
    return _(
        "Stripe cannot be reached right now. Nothing was changed and no money has "
        "moved. Try again in a moment."
    )
