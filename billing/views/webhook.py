"""Where Stripe's webhooks arrive: verified, stored, answered; handled elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import stripe_gateway, tasks
from billing.webhooks import inbox
from config.clock import now, real_now

if TYPE_CHECKING:
    from django.http import HttpRequest

log = structlog.get_logger(__name__)

_LARGEST_BODY = 256 * 1024


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Store what Stripe signed and answer at once; refuse everything else."""
    secrets = settings.STRIPE_WEBHOOK_SECRETS
    if not secrets:
        return HttpResponse(status=404)
    if _announced_length(request) > _LARGEST_BODY:
        return HttpResponse(status=413)
    header = request.headers.get("Stripe-Signature", "")
    try:
        # Signatures tell real time, also while the portal's clock is moved.
        event = stripe_gateway.parse_event(request.body, header, secrets, at=real_now())
        subject_id = inbox.receive(event, at=now())
    except stripe_gateway.NotFromStripe as refusal:
        log.warning("webhook_refused", reason=str(refusal))
        return HttpResponse(status=400)

    def nudge() -> None:
        tasks.look_at.delay(subject_id=subject_id)

    # Without a broker the sweeper does it: Stripe's answer does not depend on one.
    transaction.on_commit(nudge, robust=True)
    return HttpResponse(status=200)


def _announced_length(request: HttpRequest) -> int:
    # The server hands over no more than was announced.
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else _LARGEST_BODY + 1
