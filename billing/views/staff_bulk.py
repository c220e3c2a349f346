"""Files of adjustments: tried out, proposed, agreed to, undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing import batches, bulk_adjusting
from billing.batch_forms import UploadForm
from billing.bulk_adjusting import COLUMNS, FileRefused
from billing.models import BatchState, BulkFile
from billing.views import batch_pages
from billing.views.batch_pages import Asked
from config.clock import now
from credits.spreadsheets import csv_of

if TYPE_CHECKING:
    from accounts.http import StaffRequest

_LISTED, _ROWS = 50, 100


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def file_list(request: StaffRequest) -> HttpResponse:
    """List the latest files, and take another one."""
    return _list_page(request, UploadForm())


@require_safe
@staff_page(StaffPermission.ADJUST)
def template(request: StaffRequest) -> HttpResponse:
    """Return a file with the columns, to be filled in."""
    response = HttpResponse(csv_of(COLUMNS, []), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="adjustments.csv"'
    return response


@require_POST
@staff_page(StaffPermission.ADJUST)
def check_file(request: StaffRequest) -> HttpResponse:
    """Try a file out: nothing is changed yet."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list_page(request, form, status=422)
    content, name = form.cleaned_data["file"], form.cleaned_data["name"]
    try:
        file = bulk_adjusting.check(content, name=name, by=request.user, at=now())
    except FileRefused as refused:
        form.add_error("file", str(refused))
        return _list_page(request, form, status=422)
    if file.state != BatchState.CHECKED:
        messages.info(
            request, _("This file was sent before. This is what became of it.")
        )
    return see_other("billing:staff_bulk_file", file.public_id)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def file_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show a file: its rows and what they do, where it stands, what to do about it."""
    return _page(request, _found(public_id), Asked())


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def propose_file(request: StaffRequest, public_id: str) -> HttpResponse:
    """Make a file's adjustments, or let somebody else decide."""
    file, verb = _found(public_id), bulk_adjusting.propose
    return batch_pages.propose(request, file, verb, show=_page)


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def undo_file(request: StaffRequest, public_id: str) -> HttpResponse:
    """Reverse all that a file has done, or let somebody else decide."""
    file, verb = _found(public_id), bulk_adjusting.propose_undo
    return batch_pages.propose(request, file, verb, show=_page)


@require_POST
@staff_page(StaffPermission.APPROVE, fresh=True)
def approve_file(request: StaffRequest, public_id: str) -> HttpResponse:
    """Agree to a file."""
    return batch_pages.decide(request, _found(public_id), batches.approve)


@require_POST
@staff_page(StaffPermission.APPROVE, fresh=True)
def reject_file(request: StaffRequest, public_id: str) -> HttpResponse:
    """Refuse a file, and say why."""
    return batch_pages.reject(request, _found(public_id), batches.reject, show=_page)


@require_POST
@staff_page(StaffPermission.ADJUST, fresh=True)
def withdraw_file(request: StaffRequest, public_id: str) -> HttpResponse:
    """Take one's own proposal back."""
    return batch_pages.decide(request, _found(public_id), batches.withdraw)


def _found(public_id: str) -> BulkFile:
    files = BulkFile.objects.select_related("proposed_by", "decided_by", "undoes")
    return get_object_or_404(files, public_id=public_id)


def _list_page(
    request: StaffRequest, form: UploadForm, *, status: int = 200
) -> HttpResponse:
    files = BulkFile.objects.defer("rows").select_related("proposed_by", "undoes")
    context = {
        "form": form,
        "columns": COLUMNS,
        "files": [
            (one, batches.LEVELS[BatchState(one.state)])
            for one in files.order_by("-proposed_at", "-pk")[:_LISTED]
        ],
        "may_adjust": StaffPermission.ADJUST in permissions_of(request.user),
    }
    return render(request, "billing/staff/bulk_files.html", context, status=status)


def _page(
    request: StaffRequest,
    file: BulkFile,
    asked: Asked,
    *,
    status: int = 200,
) -> HttpResponse:
    first = _first_row(request, file)
    about = {
        "rows": file.rows[first : first + _ROWS],
        "first": first + 1,
        "last": min(first + _ROWS, file.size),
        "earlier": max(0, first - _ROWS) if first else None,
        "later": first + _ROWS if first + _ROWS < file.size else None,
    }
    return batch_pages.page(
        request,
        file,
        asked,
        template="bulk_file.html",
        may_be_undone=batches.may_be_undone(file),
        about=about,
        status=status,
    )


def _first_row(request: StaffRequest, file: BulkFile) -> int:
    given = request.GET.get("from", "")
    first = int(given) if given.isdecimal() and len(given) < 6 else 0
    return first if first < file.size else 0
