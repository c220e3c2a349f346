"""The statement: every movement of an account's credits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.roles import Permission
from config.clock import now
from credits import statements
from credits.forms import StatementFilter
from credits.models import EntryKind
from credits.views.units import chosen_wallet

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest

_FILTERS = (
    ("", _("All")),
    (EntryKind.GRANT, _("Added")),
    (EntryKind.SPEND, _("Used")),
    (EntryKind.EXPIRE, _("Expired")),
)
# A job is charged by a spend or, when it was held, by a capture.
_KINDS = {
    EntryKind.GRANT: (EntryKind.GRANT,),
    EntryKind.SPEND: (EntryKind.SPEND, EntryKind.CAPTURE),
    EntryKind.EXPIRE: (EntryKind.EXPIRE,),
}


@require_safe
@requires(Permission.VIEW_CREDITS)
def statement(request: AccountRequest) -> HttpResponse:
    """Show movements, newest first: of one kind, and from one number on, if asked."""
    chosen = chosen_wallet(request)
    sent = StatementFilter(request.GET)
    sent.is_valid()
    kind, before = sent.cleaned_data.get("kind"), sent.cleaned_data.get("before")
    page = statements.statement_for(
        chosen.wallet.pk,
        before_seq=before,
        kinds=_KINDS[kind] if kind else (),
        at=now(),
    )
    address = partial(_address, unit=chosen.unit)
    filters = [
        {"label": label, "url": address(kind=choice), "is_current": choice == kind}
        for choice, label in _FILTERS
    ]
    context = {
        "page": page,
        "units": chosen.tabs,
        "unit": chosen.unit,
        "filters": filters,
        "kind": kind,
        "newest_url": address(kind=kind) if before else "",
        "older_url": address(kind=kind, before=page.next_before_seq)
        if page.next_before_seq
        else "",
    }
    return render(request, "credits/statement.html", context)


def _address(*, unit: str, kind: str | None, before: int | None = None) -> str:
    query = {"unit": unit, "kind": kind, "before": before}
    chosen = urlencode({name: value for name, value in query.items() if value})
    return reverse("credits:statement") + (f"?{chosen}" if chosen else "")
