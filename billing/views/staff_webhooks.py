"""The desk of outgoing webhooks: addresses, what was sent there, and once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import see_other
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from accounts.templatetags.units import credits
from billing.models import Delivery, DeliveryAttempt, WebhookEndpoint
from billing.outgoing import endpoints, sending, signing
from billing.outgoing.forms import DisableForm, EndpointForm, RemoveForm
from config.clock import now, real_now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import StaffRequest

_LISTED = 50


@require_safe
@staff_page(StaffPermission.MANAGE_WEBHOOKS)
def webhook_list(request: StaffRequest) -> HttpResponse:
    """List the addresses, and offer to add one."""
    return _list_page(request, EndpointForm())


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS, fresh=True)
def add_webhook(request: StaffRequest) -> HttpResponse:
    """Add an address and show its secret, this once."""
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form, status=422)
    try:
        endpoint = endpoints.add(
            url=form.cleaned_data["url"],
            kinds=form.cleaned_data["kinds"],
            by=request.user,
            at=now(),
        )
    except endpoints.AddressRefused as refused:
        form.add_error("url", str(refused))
        return _list_page(request, form, status=422)
    return _secret_page(request, endpoint)


@require_safe
@staff_page(StaffPermission.MANAGE_WEBHOOKS)
def webhook_endpoint(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show an address and what was sent there."""
    return _endpoint_page(request, _found(public_id))


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS, fresh=True)
def roll_secret(request: StaffRequest, public_id: str) -> HttpResponse:
    """Give an address a new secret and show it, this once."""
    endpoint = _found(public_id)
    try:
        endpoints.roll(endpoint, by=request.user, at=now())
    except endpoints.RollsAlready as refused:
        messages.error(request, str(refused))
        return see_other("billing:staff_webhook", public_id)
    return _secret_page(request, endpoint)


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS, fresh=True)
def disable_webhook(request: StaffRequest, public_id: str) -> HttpResponse:
    """Send nothing to an address for now."""
    endpoint, form = _found(public_id), DisableForm(request.POST)
    if not form.is_valid():
        return _endpoint_page(request, endpoint, form=form, status=422)
    reason = form.cleaned_data["reason"]
    endpoints.disable(endpoint, reason=reason, by=request.user, at=now())
    return see_other("billing:staff_webhook", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS, fresh=True)
def enable_webhook(request: StaffRequest, public_id: str) -> HttpResponse:
    """Send to an address again."""
    endpoints.enable(_found(public_id), by=request.user, at=now())
    return see_other("billing:staff_webhook", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS, fresh=True)
def remove_webhook(request: StaffRequest, public_id: str) -> HttpResponse:
    """Never send to an address again."""
    endpoint, form = _found(public_id), RemoveForm(request.POST)
    if not form.is_valid():
        return _endpoint_page(request, endpoint, remove_form=form, status=422)
    endpoints.remove(endpoint, by=request.user, at=now())
    messages.success(request, _("%(url)s is removed.") % {"url": endpoint.url})
    return see_other("billing:staff_webhooks")


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS)
def replay_webhook(
    request: StaffRequest, public_id: str, delivery_id: int
) -> HttpResponse:
    """Send a message to an address once more."""
    delivery = get_object_or_404(
        Delivery.objects.select_related("endpoint", "message__account"),
        pk=delivery_id,
        endpoint__public_id=public_id,
        endpoint__removed_at=None,
    )
    sending.send_again(delivery, by=request.user, at=now())
    messages.info(request, _("It is sent again within a minute, under the same id."))
    return see_other("billing:staff_webhook", public_id)


@require_POST
@staff_page(StaffPermission.MANAGE_WEBHOOKS)
def try_webhook(request: StaffRequest, public_id: str) -> HttpResponse:
    """Send a test to an address, now, and say what it answered."""
    endpoint = _found(public_id)
    try:
        answer = sending.send_test(
            endpoint, by=request.user, at=now(), signed_at=real_now()
        )
    except sending.TriedJustNow as refused:
        messages.info(request, str(refused))
    else:
        _tell_answer(request, answer)
    return see_other("billing:staff_webhook", public_id)


def _tell_answer(request: StaffRequest, answer: sending.Answer) -> None:
    figures = {"said": answer.status or answer.error, "ms": credits(answer.took_ms)}
    if answer.is_good:
        said = _("The test arrived: %(said)s after %(ms)s ms.") % figures
        messages.success(request, said)
    else:
        said = _("The test did not arrive: %(said)s after %(ms)s ms.") % figures
        messages.error(request, said)


def _found(public_id: str) -> WebhookEndpoint:
    present = WebhookEndpoint.objects.filter(removed_at=None)
    return get_object_or_404(present, public_id=public_id)


def _list_page(
    request: StaffRequest, form: EndpointForm, status: int = 200
) -> HttpResponse:
    present = WebhookEndpoint.objects.filter(removed_at=None).annotate(
        waiting=Count("deliveries", filter=Q(deliveries__next_attempt_at__isnull=False))
    )
    context = {"endpoints": present.order_by("pk"), "form": form}
    return render(request, "billing/staff/webhooks.html", context, status=status)


def _endpoint_page(
    request: StaffRequest,
    endpoint: WebhookEndpoint,
    *,
    form: DisableForm | None = None,
    remove_form: RemoveForm | None = None,
    status: int = 200,
) -> HttpResponse:
    tries = DeliveryAttempt.objects.order_by("-pk")
    sent = endpoint.deliveries.select_related("message__account").prefetch_related(
        Prefetch("tries", queryset=tries)
    )
    at = now()
    context = {
        "endpoint": endpoint,
        "deliveries": sent.order_by("-pk")[:_LISTED],
        "is_rolling": endpoint.old_secret_until and at < endpoint.old_secret_until,
        "form": form or DisableForm(),
        "remove_form": remove_form or RemoveForm(),
    }
    return render(request, "billing/staff/webhook.html", context, status=status)


def _secret_page(request: StaffRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": signing.current_secret(endpoint)}
    return render(request, "billing/staff/webhook_secret.html", context)
