"""Events that Stripe told and nobody received. Its list keeps them for 30 days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from billing import stripe_gateway
from billing.models import WebhookEvent
from billing.reconciling.findings import chunks
from billing.webhooks import inbox
from billing.webhooks.registry import subscribed_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from billing.stripe_gateway import StripeEvent

log = structlog.get_logger(__name__)


def receive_missed(*, since: datetime, at: datetime) -> int:
    """Receive what was told since an instant and missed; return how much that was.

    What they tell of is looked at, as if they had been delivered.

    Raises:
        StripeUnavailable: ask again.
    """
    told = stripe_gateway.events_after("", since=since, kinds=subscribed_events())
    missed = []
    for chunk in chunks(told):
        known = set(
            WebhookEvent.objects.filter(
                stripe_id__in=[event.id for event in chunk]
            ).values_list("stripe_id", flat=True)
        )
        missed += [event for event in chunk if event.id not in known]
    subjects = dict.fromkeys(_received(missed, at))
    for subject_id in subjects:
        inbox.look_at(subject_id, at=at)
    return len(missed)


def _received(missed: Sequence[StripeEvent], at: datetime) -> Iterator[int]:
    for event in missed:
        try:
            yield inbox.receive(event, at=at)
        except stripe_gateway.NotFromStripe as unstorable:
            # It holds what no database can; the comparison finds what it told of.
            log.warning("event_not_stored", id=event.id, error=str(unstorable))
