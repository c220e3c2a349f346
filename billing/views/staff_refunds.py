"""The refund desk: what went back, and giving back more."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import permissions_of, staff_page
from billing.forms import DecisionForm
from billing.models import RefundState
from billing.payments import payment_of
from billing.refunds import desk as refund_desk
from billing.refunds import refunding
from billing.refunds.forms import RefundForm, ShownForm
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from billing.models import Refund
    from billing.payments import Payment
    from billing.refunds.refunding import RefundPreview

_LISTED = 100


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def refund_list(request: StaffRequest) -> HttpResponse:
    """List refunds, those that failed first."""
    listed = refund_desk.refunds(limit=_LISTED)
    rows = [
        (refund, refund_desk.LEVELS[RefundState(refund.state)]) for refund in listed
    ]
    return render(request, "billing/staff/refunds.html", {"rows": rows})


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def payment_page(request: StaffRequest, intent_id: str) -> HttpResponse:
    """Show a payment: what is left of it, what went back, and the way to a refund."""
    return _payment_page(request, _payment(intent_id), RefundForm())


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def preview_refund(request: StaffRequest, intent_id: str) -> HttpResponse:
    """Show what a refund would do, and ask why and whether it is meant."""
    payment, form = _payment(intent_id), RefundForm(request.GET)
    if not form.is_valid():
        return _payment_page(request, payment, form, status=422)
    return _preview_page(request, payment, form, DecisionForm())


@require_POST
@staff_page(StaffPermission.MOVE_MONEY, fresh=True)
def make_refund(request: StaffRequest, intent_id: str) -> HttpResponse:
    """Refund a payment as it was shown; show it again if it would do something else."""
    payment, form = _payment(intent_id), RefundForm(request.POST)
    if not form.is_valid():
        return _payment_page(request, payment, form, status=422)
    decision, shown = DecisionForm(request.POST), ShownForm(request.POST)
    if not (decision.is_valid() and shown.is_valid()):
        return _preview_page(request, payment, form, decision, status=422)
    try:
        previewed = _previewed(payment, form)
        if previewed.shown != shown.cleaned_data["shown"]:
            messages.warning(request, _("Something has changed. Check it again."))
            return _preview_page(request, payment, form, decision, status=409)
        refund = refunding.ask(
            payment,
            previewed,
            by=request.user,
            reason=decision.cleaned_data["reason"],
            form_key=shown.cleaned_data["form_key"],
            at=now(),
        )
    except refunding.RefundRefused as refused:
        messages.error(request, str(refused))
    else:
        _say(request, refund)
    return see_other("billing:staff_payment", intent_id)


def _payment(intent_id: str) -> Payment:
    payment = payment_of(intent_id)
    if payment is None:
        raise Http404
    return payment


def _previewed(payment: Payment, form: RefundForm) -> RefundPreview:
    return refunding.preview(payment, form.extent_asked, cents=form.cents, at=now())


def _say(request: StaffRequest, refund: Refund) -> None:
    if refund.state == RefundState.FAILED:
        messages.error(request, refund.failure)
    elif refund.state == RefundState.ASKED:
        messages.warning(request, _("Stripe does not answer: it is asked again soon."))
    else:
        messages.success(request, _("The money is on its way back."))


def _payment_page(
    request: StaffRequest, payment: Payment, form: RefundForm, *, status: int = 200
) -> HttpResponse:
    view = refund_desk.payment_view(payment)
    context = {
        "view": view,
        "rows": [
            (one, refund_desk.LEVELS[RefundState(one.state)]) for one in view.refunds
        ],
        "form": form,
        "may_refund": StaffPermission.MOVE_MONEY in permissions_of(request.user),
    }
    return render(request, "billing/staff/payment.html", context, status=status)


def _preview_page(
    request: StaffRequest,
    payment: Payment,
    form: RefundForm,
    decision: DecisionForm,
    *,
    status: int = 200,
) -> HttpResponse:
    try:
        previewed = _previewed(payment, form)
    except refunding.RefundRefused as refused:
        form.add_error(None, str(refused))
        return _payment_page(request, payment, form, status=422)
    context = {
        "payment": payment,
        "preview": previewed,
        "form": form,
        "decision": decision,
        "form_key": uuid4().hex,
        "may_refund": StaffPermission.MOVE_MONEY in permissions_of(request.user),
    }
    return render(request, "billing/staff/refund.html", context, status=status)
