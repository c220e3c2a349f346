"""The dispute desk: what banks ask back, our evidence, and what is done about it."""

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
from billing import stripe_gateway
from billing.disputes import answering, clawing_back, doubts, evidence, fraud_warnings
from billing.disputes.forms import AnswerForm
from billing.forms import DecisionForm
from billing.models import Dispute, FraudWarning, WarningState
from billing.payments import payment_of
from config.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.http import StaffRequest
    from billing.payments import Payment

_LISTED = 100


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def dispute_list(request: StaffRequest) -> HttpResponse:
    """List warnings to decide on and disputes, the most urgent first."""
    context = {
        "warnings": doubts.open_warnings(limit=_LISTED),
        "disputes": doubts.by_urgency(limit=_LISTED),
    }
    return render(request, "billing/staff/disputes.html", context)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def dispute_page(request: StaffRequest, dispute_id: int) -> HttpResponse:
    """Show a dispute, what it would do, and the evidence of our own records."""
    dispute = _dispute(dispute_id)
    return _dispute_page(request, dispute, AnswerForm(), DecisionForm())


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def evidence_file(request: StaffRequest, dispute_id: int) -> HttpResponse:
    """Return the evidence as a text file."""
    dispute = _dispute(dispute_id)
    found = evidence.evidence_of(dispute, _payment(dispute))
    name = f"{dispute.stripe_dispute_id}.txt"
    return HttpResponse(
        found.text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@staff_page(StaffPermission.WORK_DISPUTES, fresh=True)
def answer(request: StaffRequest, dispute_id: int) -> HttpResponse:
    """Hand our evidence in at the bank."""
    dispute, form = _dispute(dispute_id), AnswerForm(request.POST)
    if not form.is_valid():
        return _dispute_page(request, dispute, form, DecisionForm(), status=422)

    def hand_in() -> str:
        answering.answer(
            dispute,
            _payment(dispute),
            note=form.cleaned_data["note"],
            user=request.user,
            at=now(),
        )
        return _("The evidence is with the bank.")

    return _done(request, dispute, hand_in)


@require_POST
@staff_page(StaffPermission.WORK_DISPUTES, fresh=True)
def accept(request: StaffRequest, dispute_id: int) -> HttpResponse:
    """Give a dispute up: what it claims is lost."""
    dispute, form = _dispute(dispute_id), DecisionForm(request.POST)
    if not form.is_valid():
        return _dispute_page(request, dispute, AnswerForm(), form, status=422)

    def give_up() -> str:
        reason = form.cleaned_data["reason"]
        answering.accept(dispute, reason=reason, user=request.user, at=now())
        return _("The dispute is given up.")

    return _done(request, dispute, give_up)


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def warning_page(request: StaffRequest, warning_id: int) -> HttpResponse:
    """Show a fraud warning, and what can be done about it."""
    return _warning_page(request, _warning(warning_id), DecisionForm())


@require_POST
@staff_page(StaffPermission.WORK_DISPUTES, fresh=True)
def keep(request: StaffRequest, warning_id: int) -> HttpResponse:
    """Decide that a payment which was warned about is genuine."""
    warning, form = _warning(warning_id), DecisionForm(request.POST)
    if not form.is_valid():
        return _warning_page(request, warning, form, status=422)
    reason = form.cleaned_data["reason"]
    try:
        fraud_warnings.keep_payment(
            warning_id=warning.pk, user=request.user, reason=reason, at=now()
        )
    except fraud_warnings.WarningIsOver:
        messages.info(request, _("This warning was decided meanwhile."))
    else:
        messages.success(request, _("The payment is kept: its credits are usable."))
    return see_other("billing:staff_warning", warning.pk)


def _done(
    request: StaffRequest, dispute: Dispute, step: Callable[[], str]
) -> HttpResponse:
    """Take a step at Stripe, say what came of it, and lead back to the dispute."""
    try:
        messages.success(request, step())
    except stripe_gateway.DisputeIsOver:
        messages.error(request, _("The bank takes nothing more on this dispute."))
    except stripe_gateway.StripeUnavailable:
        messages.error(
            request, _("Stripe cannot be reached right now. Try again in a moment.")
        )
    return see_other("billing:staff_dispute", dispute.pk)


def _dispute(dispute_id: int) -> Dispute:
    found = Dispute.objects.select_related(
        "account", "purchase__buyer", "invoice__subscription__plan_version__plan"
    )
    return get_object_or_404(found, pk=dispute_id)


def _warning(warning_id: int) -> FraudWarning:
    found = FraudWarning.objects.select_related("account", "closed_by")
    return get_object_or_404(found, pk=warning_id)


def _payment(doubt: Dispute | FraudWarning) -> Payment:
    payment = payment_of(fraud_warnings.payment_intent_of(doubt))
    if payment is None:
        # Its row was paid when the doubt was stored, and stays so.
        raise LookupError(str(doubt))
    return payment


def _dispute_page(
    request: StaffRequest,
    dispute: Dispute,
    answer_form: AnswerForm,
    accept_form: DecisionForm,
    status: int = 200,
) -> HttpResponse:
    payment = _payment(dispute)
    context = {
        "dispute": dispute,
        "payment": payment,
        "if_lost": clawing_back.foresee(dispute, payment),
        "evidence": evidence.evidence_of(dispute, payment),
        "answer_form": answer_form,
        "accept_form": accept_form,
        "may_work": _may_work(request),
    }
    return render(request, "billing/staff/dispute.html", context, status=status)


def _warning_page(
    request: StaffRequest, warning: FraudWarning, form: DecisionForm, status: int = 200
) -> HttpResponse:
    context = {
        "warning": warning,
        "payment": _payment(warning),
        "is_open": warning.state == WarningState.OPEN,
        "form": form,
        "may_work": _may_work(request),
    }
    return render(request, "billing/staff/fraud_warning.html", context, status=status)


def _may_work(request: StaffRequest) -> bool:
    return StaffPermission.WORK_DISPUTES in permissions_of(request.user)
