"""Exports: asking for a file, seeing how far it is, and fetching it.

Whoever asked for a file is the only one for whom it exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from billing import tasks
from billing.exporting import asking, running
from billing.exporting.forms import ExportForm
from billing.exporting.tables import days_of, period
from billing.finance import months
from billing.models import Export, ExportFormat, ExportKind
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.http import StaffRequest

_LISTED = 50
# As often as progress is written down, until there is none to wait for.
_PAUSE_S = 2
_LEVELS = {"READY": "success", "FAILED": "danger"}
_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
}


@require_safe
@staff_page(StaffPermission.EXPORT)
def export_list(request: StaffRequest) -> HttpResponse:
    """List what somebody has asked for, below the form that asks for more."""
    last_month = months.month_of(now()).previous
    first, last = days_of(last_month.starts_at, last_month.ends_at)
    usual = {
        "kind": ExportKind.LEDGER,
        "first": first,
        "last": last,
        "format": ExportFormat.CSV,
    }
    return _export_list(request, ExportForm(initial=usual | request.GET.dict()))


@require_POST
@staff_page(StaffPermission.EXPORT, fresh=True)
def ask_export(request: StaffRequest) -> HttpResponse:
    """Ask for a file, which a worker begins to make at once."""
    form = ExportForm(request.POST)
    if not form.is_valid():
        return _export_list(request, form, status=422)
    given = form.cleaned_data
    since, until = period(given["first"], given["last"])
    export = asking.ask(
        kind=ExportKind(given["kind"]),
        format=ExportFormat(given["format"]),
        since=since,
        until=until,
        account=given["account"],
        by=request.user,
        at=now(),
    )
    _soon(export.pk)
    return see_other("billing:export", export.public_id)


@require_safe
@staff_page(StaffPermission.EXPORT)
def export_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show how far a file is, and once it is ready where it can be fetched."""
    context = _context(request, _found(request, public_id), at=now())
    return render(request, "billing/finance/export.html", context)


@require_safe
@staff_page(StaffPermission.EXPORT)
def export_status(request: StaffRequest, public_id: str) -> HttpResponse:
    """Return how far a file is, as the fragment that asks again by itself."""
    context = _context(request, _found(request, public_id), at=now())
    return render(request, "billing/finance/_export_status.html", context)


@require_POST
@staff_page(StaffPermission.EXPORT)
def cancel_export(request: StaffRequest, public_id: str) -> HttpResponse:
    """Give a file up that is not made yet."""
    export = _found(request, public_id)
    if not asking.cancel(export, by=request.user, at=now()):
        messages.error(request, _("It was finished before."))
    return see_other("billing:export", public_id)


@require_safe
@staff_page(StaffPermission.EXPORT, fresh=True)
def fetch_export(request: StaffRequest, public_id: str) -> FileResponse:
    """Send a file to whom its link was made for."""
    export, at = _found(request, public_id), now()
    link = request.GET.get("link", "")
    if not asking.is_link_of(link, export, reader=request.user):
        raise Http404
    if not export.has_file(at=at):
        raise Http404
    asking.note_fetched(export, by=request.user, at=at)
    return FileResponse(
        running.storage().open(export.file_name),
        as_attachment=True,
        filename=running.wanted_of(export).file_name,
        content_type=_TYPES[ExportFormat(export.format)],
    )


def _soon(export_id: int) -> None:
    def nudge() -> None:
        tasks.export.delay(export_id=export_id)

    # Without a broker the sweeper does it.
    transaction.on_commit(nudge, robust=True)


def _found(request: StaffRequest, public_id: str) -> Export:
    return get_object_or_404(_mine(request), public_id=public_id)


def _mine(request: StaffRequest) -> QuerySet[Export]:
    asked = Export.objects.filter(requested_by=request.user)
    return asked.select_related("account", "requested_by")


def _context(
    request: StaffRequest, export: Export, *, at: datetime
) -> dict[str, object]:
    link = asking.link_of(export, reader=request.user)
    fetch = reverse("billing:export_file", args=[export.public_id])
    return {
        "export": export,
        "days": days_of(export.since, export.until),
        "level": _LEVELS.get(export.state, ""),
        "file_url": f"{fetch}?{urlencode({'link': link})}",
        "has_file": export.has_file(at=at),
        "pause_s": _PAUSE_S,
    }


def _export_list(
    request: StaffRequest, form: ExportForm, *, status: int = 200
) -> HttpResponse:
    exports = list(_mine(request).order_by("-asked_at", "-pk")[:_LISTED])
    context = {
        "form": form,
        "rows": [
            (one, days_of(one.since, one.until), _LEVELS.get(one.state, ""))
            for one in exports
        ],
        "is_cut": len(exports) == _LISTED,
    }
    return render(request, "billing/finance/exports.html", context, status=status)
