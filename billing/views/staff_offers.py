"""Drafts of plans and blocks: edited, shown beside who pays what, published."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from accounts.templatetags import units
from billing import stripe_gateway
from billing.models import OfferDraft
from billing.plans import drafts as plan_drafts
from billing.plans.forms import BlockTermsForm, PlanTermsForm, PublishForm
from config.clock import now
from credits.drafting import DraftRefused
from credits.models import DraftState

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def begin_plan(request: StaffRequest, code: str) -> HttpResponse:
    """Begin a draft from the last version of a plan."""
    for plan in plan_drafts.plans_to_draft():
        if plan.code == code:
            draft = plan_drafts.begin(plan=plan, by=request.user, at=now())
            return see_other("billing:staff_offer_draft", draft.public_id)
    raise Http404


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def begin_blocks(request: StaffRequest) -> HttpResponse:
    """Begin a draft from the last offer of blocks."""
    try:
        draft = plan_drafts.begin(plan=None, by=request.user, at=now())
    except DraftRefused as refused:
        messages.error(request, str(refused))
        return see_other("billing:staff_catalogue")
    return see_other("billing:staff_offer_draft", draft.public_id)


@require_safe
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def offer_draft(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show a draft beside the version that it follows, and who is on which."""
    return _draft_page(request, _found(public_id))


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def set_terms(request: StaffRequest, public_id: str) -> HttpResponse:
    """Change the terms of a draft, and from when on they hold."""
    draft = _found(public_id)
    form = _form_class(draft)(request.POST)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            plan_drafts.set_terms(
                draft,
                form.terms,
                starts_at=sent["starts_at"],
                seen=sent["seen"],
                by=request.user,
                at=now(),
            )
        except DraftRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved."))
            return see_other("billing:staff_offer_draft", public_id)
    return _draft_page(request, draft, terms_form=form, status=422)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE, fresh=True)
def publish_offer(request: StaffRequest, public_id: str) -> HttpResponse:
    """Publish a draft as it was shown, and let Stripe know its prices."""
    draft, form = _found(public_id), PublishForm(request.POST)
    if not form.is_valid():
        return _draft_page(request, draft, publish_form=form, status=422)
    sent = form.cleaned_data
    try:
        offer = plan_drafts.publish(
            draft, seen=sent["seen"], reason=sent["reason"], by=request.user, at=now()
        )
    except DraftRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Published as %(offer)s.") % {"offer": offer})
        _price(request, _found(public_id))
    return see_other("billing:staff_offer_draft", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def price_offer(request: StaffRequest, public_id: str) -> HttpResponse:
    """Let Stripe know the prices of a published draft, once more."""
    draft = _found(public_id)
    if draft.state == DraftState.PUBLISHED:
        _price(request, draft)
    return see_other("billing:staff_offer_draft", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def withdraw_offer(request: StaffRequest, public_id: str) -> HttpResponse:
    """Close a draft without effect."""
    draft = _found(public_id)
    try:
        plan_drafts.withdraw(draft, by=request.user, at=now())
    except DraftRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Withdrawn."))
    return see_other("billing:staff_offer_draft", public_id)


def _found(public_id: str) -> OfferDraft:
    drafts = OfferDraft.objects.select_related("plan", "closed_by")
    return get_object_or_404(drafts, public_id=public_id)


def _price(request: StaffRequest, draft: OfferDraft) -> None:
    try:
        plan_drafts.price(draft, at=now())
    except stripe_gateway.StripeUnavailable:
        messages.warning(request, _("Stripe does not answer: it is asked again soon."))
    except stripe_gateway.PriceDiffers as differs:
        messages.error(request, str(differs))
    else:
        messages.success(request, _("Stripe knows its prices."))


def _form_class(draft: OfferDraft) -> type[PlanTermsForm | BlockTermsForm]:
    return PlanTermsForm if draft.plan_id else BlockTermsForm


def _terms_form(draft: OfferDraft) -> PlanTermsForm | BlockTermsForm:
    terms = asdict(plan_drafts.terms_of(draft))
    initial = terms | {"starts_at": draft.starts_at, "seen": draft.digest}
    return _form_class(draft)(initial=initial)


def _rows(draft: OfferDraft) -> list[tuple[str, str, str]]:
    """Return each term by its name, before and after."""
    currency = plan_drafts.offer_before(draft).currency
    before, after = (
        asdict(terms)
        for terms in (plan_drafts.terms_before(draft), plan_drafts.terms_of(draft))
    )
    return [
        (
            str(field.label),
            _text(name, before[name], currency),
            _text(name, after[name], currency),
        )
        for name, field in _form_class(draft)().fields.items()
        if name in after
    ]


def _text(name: str, amount: int | None, currency: str) -> str:
    if amount is None:
        return _("none")
    is_money = name.endswith("cents")
    return units.money(amount, currency) if is_money else units.credits(amount)


def _draft_page(
    request: StaffRequest,
    draft: OfferDraft,
    *,
    terms_form: PlanTermsForm | BlockTermsForm | None = None,
    publish_form: PublishForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "draft": draft,
        "before": plan_drafts.offer_before(draft),
        "rows": _rows(draft),
        "subscribers": plan_drafts.subscribers_of(draft),
        "form": terms_form or _terms_form(draft),
        "publish_form": publish_form or PublishForm(initial={"seen": draft.digest}),
    }
    return render(request, "billing/staff/offer_draft.html", context, status=status)
