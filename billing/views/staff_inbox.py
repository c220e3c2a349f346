"""The inbox desk: what Stripe told, what became of it, and what waits for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing.forms import IgnoreForm, InboxFilter
from billing.models import SubjectState, WebhookSubject
from billing.webhooks import desk
from billing.webhooks.registry import object_kinds
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest

_STATES = (("", gettext_lazy("All")), *SubjectState.choices)
_LEVELS = {
    SubjectState.FAILING: "danger",
    SubjectState.UNKNOWN: "danger",
    SubjectState.WAITING: "info",
    SubjectState.DONE: "success",
}


@require_safe
@staff_page(StaffPermission.SEE_INBOX)
def inbox_page(request: StaffRequest) -> HttpResponse:
    """List the objects that Stripe told of, newest first."""
    sent = InboxFilter(request.GET, kinds=object_kinds())
    sent.is_valid()
    asked = {name: value for name, value in sent.cleaned_data.items() if value}
    page = desk.subjects(
        state=asked.get("state"),
        kind=asked.get("kind", ""),
        named=asked.get("named", ""),
        before=asked.get("before"),
    )
    newest = asked | {"before": None}
    context = {
        "form": sent,
        "rows": [(one, _LEVELS.get(one.state)) for one in page.subjects],
        "filters": [
            {
                "label": label,
                "url": _address(newest | {"state": state}),
                "is_current": state == asked.get("state", ""),
            }
            for state, label in _STATES
        ],
        "newest_url": _address(newest) if "before" in asked else "",
        "older_url": _address(asked | {"before": page.next_before})
        if page.next_before
        else "",
    }
    return render(request, "billing/staff/inbox.html", context)


@require_safe
@staff_page(StaffPermission.SEE_INBOX)
def inbox_subject(request: StaffRequest, subject_id: int) -> HttpResponse:
    """Show what Stripe told of an object, word by word, and what became of it."""
    subject = get_object_or_404(WebhookSubject, pk=subject_id)
    return _subject_page(request, subject, IgnoreForm())


@require_POST
@staff_page(StaffPermission.WORK_INBOX)
def replay(request: StaffRequest, subject_id: int) -> HttpResponse:
    """Look at an object again and say what came of it."""
    subject = get_object_or_404(WebhookSubject, pk=subject_id)
    seen = desk.replay(subject, by=request.user, at=now())
    if seen.is_due:
        messages.error(
            request,
            _("Not done: %(error)s") % {"error": seen.last_error or _("it waits")},
        )
    else:
        messages.success(request, _("Looked at: %(what)s.") % {"what": seen.outcome})
    return see_other("billing:staff_inbox_subject", subject_id)


@require_POST
@staff_page(StaffPermission.WORK_INBOX)
def ignore(request: StaffRequest, subject_id: int) -> HttpResponse:
    """Let be what was told of an object, for a reason."""
    subject = get_object_or_404(WebhookSubject, pk=subject_id)
    form = IgnoreForm(request.POST)
    if not form.is_valid():
        return _subject_page(request, subject, form, status=422)
    reason = form.cleaned_data["reason"]
    try:
        desk.ignore(subject, reason=reason, by=request.user, at=now())
    except desk.NothingWaits:
        messages.info(request, _("Nothing waits here: it was looked at meanwhile."))
    else:
        messages.success(request, _("Ignored, until Stripe tells of it again."))
    return see_other("billing:staff_inbox_subject", subject_id)


def _subject_page(
    request: StaffRequest, subject: WebhookSubject, form: IgnoreForm, status: int = 200
) -> HttpResponse:
    context = {
        "subject": subject,
        "level": _LEVELS.get(subject.state),
        "events": desk.events_of(subject),
        "form": form,
        "may_work": StaffPermission.WORK_INBOX in permissions_of(request.user),
    }
    return render(request, "billing/staff/inbox_subject.html", context, status=status)


def _address(query: dict[str, object]) -> str:
    chosen = urlencode({name: value for name, value in query.items() if value})
    return reverse("billing:staff_inbox") + (f"?{chosen}" if chosen else "")
