"""Accounts as staff see them: found, looked at, and their plans ended at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.models import Account
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing import stripe_gateway
from billing.changes import canceling_now
from billing.changes.canceling_now import Wish
from billing.changes.changing import ChangeInProgress
from billing.console import finding, timeline, viewing
from billing.console.forms import FindForm, JobForm
from billing.console.movements import RECENT_ENTRIES
from billing.console.rows import Family, position
from billing.refunds.forms import CancelForm, ShownForm
from billing.refunds.refunding import RefundRefused
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.changes.canceling_now import CancelPreview

_LISTED, _LATEST = 20, 12


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def account_list(request: StaffRequest) -> HttpResponse:
    """Find accounts by anything; an id that names one thing leads to its page."""
    form, at = FindForm(request.GET), now()
    text = form.cleaned_data["q"].strip() if form.is_valid() else ""
    found = finding.find(text)
    if found.url:
        return HttpResponseRedirect(found.url)
    context = {
        "text": text,
        "rows": viewing.rows_of(found.matches, at=at),
        "is_cut": found.is_cut,
        "recent_entries": RECENT_ENTRIES,
    }
    return render(request, "billing/staff/accounts.html", context)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def account_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show an account on one page, with what happened to it of late."""
    shown, at = get_object_or_404(Account, public_id=public_id), now()
    context = {
        "view": viewing.account_view(shown, limit=_LISTED, at=at),
        "latest": timeline.timeline(shown, at=at, limit=_LATEST).rows,
        "families": list(Family),
        "currency": settings.CURRENCY,
        "may": permissions_of(request.user),
    }
    return render(request, "billing/staff/account.html", context)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def timeline_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show what happened to an account: all of it, one family, or one job."""
    shown = get_object_or_404(Account, public_id=public_id)
    form = JobForm(request.GET)
    job = form.cleaned_data["job"].strip() if form.is_valid() else ""
    chosen = request.GET.get("family", "")
    family = Family(chosen) if chosen in Family.values else None
    before = position(request.GET.get("before", ""))
    page = timeline.timeline(shown, family=family, job=job, before=before, at=now())
    older = {"family": family or "", "job": job, "before": str(page.older)}
    context = {
        "account": shown,
        "rows": page.rows,
        "form": form,
        "job": job,
        "families": [(one, one.label, one == family) for one in Family],
        "is_all": family is None,
        "newer_url": "?" + urlencode({**older, "before": ""}) if before else "",
        "older_url": "?" + urlencode(older) if page.older else "",
        "recent_entries": RECENT_ENTRIES,
    }
    return render(request, "billing/staff/timeline.html", context)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def preview_cancel(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show what ending the plan now would do (R65)."""
    account = get_object_or_404(Account, public_id=public_id)
    return _cancel_page(request, account, CancelForm())


@require_POST
@staff_page(StaffPermission.MOVE_MONEY, fresh=True)
def cancel(request: StaffRequest, public_id: str) -> HttpResponse:
    """End a plan now, as it was shown."""
    account = get_object_or_404(Account, public_id=public_id)
    form, shown = CancelForm(request.POST), ShownForm(request.POST)
    if not (form.is_valid() and shown.is_valid()):
        return _cancel_page(request, account, form, status=422)
    previewed = _previewed(account)
    if previewed.shown != shown.cleaned_data["shown"]:
        messages.warning(request, _("Something has changed. Check it again."))
        return _cancel_page(request, account, form, status=409)
    wish = Wish(
        with_refund=form.cleaned_data["with_refund"],
        by=request.user,
        reason=form.cleaned_data["reason"],
        form_key=shown.cleaned_data["form_key"],
    )
    _cancel(request, previewed, wish)
    return see_other("billing:staff_account", public_id)


def _cancel(request: StaffRequest, previewed: CancelPreview, wish: Wish) -> None:
    try:
        has_ended = canceling_now.cancel(previewed, wish, at=now())
    except canceling_now.RefundIncomplete as incomplete:
        messages.error(request, _("The plan goes on, for a refund was not made."))
        messages.error(request, str(incomplete))
    except (RefundRefused, ChangeInProgress) as refused:
        messages.error(request, str(refused))
    except stripe_gateway.StripeUnavailable:
        messages.error(request, _("Stripe does not answer, so the plan goes on."))
    else:
        if has_ended:
            messages.success(request, _("The plan has ended."))
        else:
            text = _("Stripe does not answer. The plan ends as soon as it does.")
            messages.warning(request, text)


def _previewed(account: Account) -> CancelPreview:
    try:
        return canceling_now.preview(account.pk, at=now())
    except canceling_now.NoPlan as none:
        raise Http404 from none


def _cancel_page(
    request: StaffRequest,
    account: Account,
    form: CancelForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "account": account,
        "preview": _previewed(account),
        "form": form,
        "form_key": uuid4().hex,
        "may_cancel": StaffPermission.MOVE_MONEY in permissions_of(request.user),
    }
    return render(request, "billing/staff/cancel.html", context, status=status)
