"""Finance: the month on one page, and the rows behind each of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DataError
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing.core.periods import Span
from billing.exporting.tables import days_of
from billing.finance import months, names
from billing.finance import page as month_page
from billing.finance.reports import drilling
from billing.finance.reports.liability import Split
from billing.models import ExportKind
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.finance.months import Month

_ROWS = 100
_SPLITS = {
    Split.WHOLE: _("As a whole"),
    Split.PLAN: _("By plan"),
    Split.SOURCE: _("By source"),
}
_EXPORTS = (
    (ExportKind.LIABILITY, _("Roll-forward")),
    (ExportKind.REVENUE, _("Revenue")),
    (ExportKind.DEFERRED, _("Deferred revenue")),
    (ExportKind.JOURNAL, _("Journal")),
)


@require_safe
@staff_page(StaffPermission.SEE_FINANCE)
def finance(request: StaffRequest) -> HttpResponse:
    """Show a month: what was owed, earned and paid, and whether the books agree."""
    at = now()
    month = _month(request, at=at)
    by = request.GET.get("by", "")
    split = Split(by) if by in list(Split) else Split.WHOLE
    permissions = permissions_of(request.user)
    context = {
        "page": month_page.read(month, by=split, at=at),
        "is_whole": split is Split.WHOLE,
        "splits": [(one, _SPLITS[one], one is split) for one in Split],
        "months": sorted({month, *months.months(at=at)}, reverse=True),
        "zone": settings.FINANCE_TIME_ZONE,
        "currency": settings.CURRENCY,
        "exports": _exports(month) if StaffPermission.EXPORT in permissions else [],
        "may_close": StaffPermission.CLOSE_MONTHS in permissions,
    }
    return render(request, "billing/finance/month.html", context)


@require_safe
@staff_page(StaffPermission.SEE_FINANCE)
def finance_rows(request: StaffRequest) -> HttpResponse:
    """List the rows behind a number, which add up to it."""
    at = now()
    month = _month(request, at=at)
    # As the page says it: what is owed ends with the month, or now.
    period = Span(month.starts_at, min(at, month.ends_at))
    drill, after = request.GET.get("drill", ""), request.GET.get("after", "0")
    try:
        rows = drilling.behind(drill, period, after=int(after), limit=_ROWS + 1)
        total = drilling.total(drill, period)
    except (ValueError, DataError) as unknown:
        raise Http404 from unknown
    context = {
        "month": month,
        "rows": [(row, names.of_kind(row.kind)) for row in rows[:_ROWS]],
        "total": total,
        "more_url": _rows_url(month, drill, rows[_ROWS - 1].id)
        if len(rows) > _ROWS
        else "",
        "currency": settings.CURRENCY,
    }
    return render(request, "billing/finance/rows.html", context)


def _month(request: StaffRequest, *, at: datetime) -> Month:
    """Return the month that an address names; without one, the last that is over.

    Raises:
        Http404: it names none, or one that has not begun.
    """
    code = request.GET.get("month", "")
    if not code:
        return max(months.month_of(at).previous, min(months.months(at=at)))
    try:
        month = months.parse(code)
    except ValueError as unknown:
        raise Http404 from unknown
    if month.starts_at > at:
        raise Http404
    return month


def _rows_url(month: Month, drill: str, after: int) -> str:
    asked = urlencode([("month", month.code), ("drill", drill), ("after", after)])
    return f"{reverse('billing:finance_rows')}?{asked}"


def _exports(month: Month) -> list[tuple[Any, str]]:
    """Return the names of exports, and where each is asked for with these days."""
    first, last = days_of(month.starts_at, month.ends_at)
    return [
        (
            label,
            f"{reverse('billing:exports')}?"
            + urlencode([("kind", kind), ("first", f"{first}"), ("last", f"{last}")]),
        )
        for kind, label in _EXPORTS
    ]
