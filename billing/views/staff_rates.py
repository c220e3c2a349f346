"""Drafts of rates: edited, tried on what customers used, looked at twice, published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts import auditing
from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from billing.plans.forms import PublishRatesForm, RateForm, SeenForm, StartForm
from config.clock import now
from credits import rate_drafts, rate_impact
from credits.drafting import DraftMoved, DraftRefused
from credits.models import ABSORBED, RateDraft
from credits.spreadsheets import Column, ColumnKind, csv_of
from credits.usage import GIVEN_BACK

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from credits.rate_impact import Cost, CustomerImpact, Impact
    from credits.spreadsheets import Value

_NOT_FEATURES = {
    ABSORBED: gettext_lazy("Above the quote, not charged"),
    GIVEN_BACK: gettext_lazy("Given back"),
}
_CSV = (
    Column("Account"),
    Column("Name"),
    *(Column(name, ColumnKind.NUMBER) for name in ("Charged", "At the draft")),
    *(Column(name, ColumnKind.NUMBER) for name in ("Difference", "Percent")),
    *(Column(name, ColumnKind.INSTANT) for name in ("Runs out", "Would run out")),
    Column("Cycle ends", ColumnKind.INSTANT),
)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def begin_rates(request: StaffRequest, rate_plan: str) -> HttpResponse:
    """Begin a draft from the last card of a rate plan."""
    if rate_drafts.last_card(rate_plan) is None:
        raise Http404
    draft = rate_drafts.begin(rate_plan=rate_plan, by=request.user, at=now())
    return see_other("billing:staff_rate_draft", draft.public_id)


@require_safe
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def rate_draft(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show a draft beside the card that it follows."""
    draft = _found(public_id)
    form = StartForm(initial={"starts_at": draft.starts_at})
    return _draft_page(request, draft, form)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def draft_rate(
    request: StaffRequest, public_id: str, feature: str = ""
) -> HttpResponse:
    """Show and take the rate of a feature; of a new one, if none is named."""
    draft = _found(public_id)
    initial = _rate_of(draft, feature) if feature else {}
    if request.method != "POST":
        form = RateForm(initial=initial | {"seen": draft.digest})
        return _rate_page(request, draft, feature, form)
    form = RateForm(request.POST, initial=initial)
    if form.is_valid() and _saved(request, draft, form):
        return see_other("billing:staff_rate_draft", public_id)
    return _rate_page(request, draft, feature, form, status=422)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def end_rate(request: StaffRequest, public_id: str, feature: str) -> HttpResponse:
    """Leave a feature out of a draft."""
    draft, form = _found(public_id), SeenForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    try:
        rate_drafts.end_feature(draft, feature, seen=seen, by=request.user, at=now())
    except DraftRefused as refused:
        messages.error(request, str(refused))
    return see_other("billing:staff_rate_draft", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def start_rates(request: StaffRequest, public_id: str) -> HttpResponse:
    """Say from when on a draft is to hold."""
    draft, form = _found(public_id), StartForm(request.POST)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            rate_drafts.set_start(
                draft, sent["starts_at"], seen=sent["seen"], by=request.user, at=now()
            )
        except DraftRefused as refused:
            form.add_error("starts_at", str(refused))
        else:
            messages.success(request, _("Saved."))
            return see_other("billing:staff_rate_draft", public_id)
    return _draft_page(request, _found(public_id), form, status=422)


@require_safe
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def rate_impact_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show what a draft would have cost customers on their last 30 days."""
    draft = _found(public_id)
    impact = rate_impact.impact_of(draft, at=now())
    context = {
        "draft": draft,
        "impact": impact,
        "features": _named(draft, impact),
        "window": rate_impact.WINDOW.days,
    }
    return render(request, "billing/staff/rate_impact.html", context)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE, fresh=True)
def rate_impact_csv(request: StaffRequest, public_id: str) -> StreamingHttpResponse:
    """Send the same, of every customer, as a table."""
    draft, at = _found(public_id), now()
    auditing.record(
        action="rate_draft.impact_downloaded",
        actor=request.user,
        target=f"{draft.public_id} ({draft.based_on})",
        after={"shown": draft.digest},
        at=at,
    )
    rows = map(_csv_row, rate_impact.customers_of(draft, at=at))
    name = f"rates-{draft.public_id}.csv"
    return StreamingHttpResponse(
        csv_of(_CSV, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def confirm_rates(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show once more what is published, as it was shown with its impact."""
    draft = _found(public_id)
    seen = request.GET.get("seen", "")
    if seen != draft.digest or not draft.is_open:
        messages.warning(request, str(DraftMoved()))
        return see_other("billing:staff_rate_draft", public_id)
    return _confirm_page(request, draft, PublishRatesForm(initial={"seen": seen}))


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE, fresh=True)
def publish_rates(request: StaffRequest, public_id: str) -> HttpResponse:
    """Publish a draft as it was shown."""
    draft, form = _found(public_id), PublishRatesForm(request.POST)
    if not form.is_valid():
        return _confirm_page(request, draft, form, status=422)
    sent = form.cleaned_data
    try:
        card = rate_drafts.publish(
            draft,
            seen=sent["seen"],
            tells_customers=sent["tells_customers"],
            reason=sent["reason"],
            by=request.user,
            at=now(),
        )
    except DraftRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Published as %(card)s.") % {"card": card})
    return see_other("billing:staff_rate_draft", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def withdraw_rates(request: StaffRequest, public_id: str) -> HttpResponse:
    """Close a draft without effect."""
    draft = _found(public_id)
    try:
        rate_drafts.withdraw(draft, by=request.user, at=now())
    except DraftRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Withdrawn."))
    return see_other("billing:staff_rate_draft", public_id)


def _found(public_id: str) -> RateDraft:
    drafts = RateDraft.objects.select_related("based_on", "card", "closed_by")
    return get_object_or_404(drafts, public_id=public_id)


def _rate_of(draft: RateDraft, feature: str) -> dict[str, Any]:
    for line in draft.lines:
        if line["feature"] == feature:
            return dict(line)
    raise Http404


def _saved(request: StaffRequest, draft: RateDraft, form: RateForm) -> bool:
    seen = form.cleaned_data["seen"]
    try:
        rate_drafts.set_rate(draft, form.line, seen=seen, by=request.user, at=now())
    except DraftRefused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _named(draft: RateDraft, impact: Impact) -> list[tuple[str, Cost]]:
    """Return what each feature costs under its name, in the order of the card."""
    names: dict[str, str] = {
        change.feature: change.label for change in rate_drafts.changes_of(draft)
    }
    names |= {code: str(label) for code, label in _NOT_FEATURES.items()}
    places = {feature: place for place, feature in enumerate(names)}
    ordered = sorted(
        impact.features.items(),
        key=lambda item: (places.get(item[0], len(places)), item[0]),
    )
    return [(names.get(feature, feature), cost) for feature, cost in ordered]


def _csv_row(customer: CustomerImpact) -> list[Value]:
    cost, wallet = customer.cost, customer.wallet
    return [
        wallet.account.public_id,
        wallet.account.name,
        *(cost.charged, cost.drafted, cost.difference, cost.percent),
        *(customer.runs_out_at, customer.would_run_out_at, wallet.cycle_ends_at),
    ]


def _draft_page(
    request: StaffRequest, draft: RateDraft, form: StartForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "draft": draft,
        "changes": rate_drafts.changes_of(draft),
        "form": form,
    }
    return render(request, "billing/staff/rate_draft.html", context, status=status)


def _rate_page(
    request: StaffRequest,
    draft: RateDraft,
    feature: str,
    form: RateForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"draft": draft, "feature": feature, "form": form}
    return render(request, "billing/staff/draft_rate.html", context, status=status)


def _confirm_page(
    request: StaffRequest,
    draft: RateDraft,
    form: PublishRatesForm,
    *,
    status: int = 200,
) -> HttpResponse:
    changes = rate_drafts.changes_of(draft)
    context = {
        "draft": draft,
        "changes": [change for change in changes if change.is_changed],
        "form": form,
    }
    return render(request, "billing/staff/publish_rates.html", context, status=status)
