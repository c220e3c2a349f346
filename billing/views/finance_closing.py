"""Finance closes a month: what that means, and doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from billing.finance import closing, months
from billing.forms import DecisionForm
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.finance.months import Month


@require_safe
@staff_page(StaffPermission.CLOSE_MONTHS)
def preview_closing(request: StaffRequest, code: str) -> HttpResponse:
    """Show what closing a month means, and what speaks against it today."""
    month = _month(code)
    return _closing_page(request, month, DecisionForm())


@require_POST
@staff_page(StaffPermission.CLOSE_MONTHS, fresh=True)
def close_month(request: StaffRequest, code: str) -> HttpResponse:
    """Close a month for good."""
    month, form = _month(code), DecisionForm(request.POST)
    if not form.is_valid():
        return _closing_page(request, month, form, status=422)
    try:
        closing.close(
            month, by=request.user, reason=form.cleaned_data["reason"], at=now()
        )
    except closing.NotClosable as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            _("%(month)s is closed. What comes later is posted in %(next)s.")
            % {"month": month, "next": month.next},
        )
    return see_other(_page_url(month))


def _month(code: str) -> Month:
    """Return the month that an address names.

    Raises:
        Http404: it names none.
    """
    try:
        return months.parse(code)
    except ValueError as unknown:
        raise Http404 from unknown


def _page_url(month: Month) -> str:
    return f"{reverse('billing:finance')}?month={month.code}"


def _closing_page(
    request: StaffRequest, month: Month, form: DecisionForm, status: int = 200
) -> HttpResponse:
    context = {
        "month": month,
        "refusal": closing.refusal(month, at=now()),
        "doubts": closing.doubts(month),
        "form": form,
        "page_url": _page_url(month),
    }
    return render(request, "billing/finance/close.html", context, status=status)
