"""What the desks of reconciliation and outgoing webhooks have to show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing.models import Break, BreakKind, DeliveryAttempt, OutgoingKind
from billing.outgoing import endpoints, facts
from config.clock import now

if TYPE_CHECKING:
    from accounts.models import Account

Arguments = dict[str, tuple[object, ...]]


def breaks_of(account: Account) -> Arguments:
    """Let two things differ from Stripe: one can be repaired, one cannot."""
    at = now()
    known = {
        "account": account,
        "happened_at": at - timedelta(hours=30),
        "first_seen_at": at - timedelta(hours=29),
        "last_seen_at": at,
    }
    repairable = Break.objects.create(
        kind=BreakKind.PAID_WITHOUT_GRANT,
        subject="pi_3TsQv2Lumen",
        here={"order": "pur_7k3m", "state": "OPEN", "credits": 0, "currency": "usd"},
        at_stripe={"cents": 1_500, "currency": "usd"},
        repair_kind="checkout.session",
        repair_id="cs_test_lumen",
        **known,
    )
    other = Break.objects.create(
        kind=BreakKind.AMOUNT_DIFFERS,
        subject="pi_3TsQv2Other",
        here={"order": "pur_9w2a", "cents": 1_499, "currency": "usd"},
        at_stripe={"cents": 1_500, "currency": "usd"},
        note="Asked the bank.",
        **known,
    )
    return {"repairable": (repairable.public_id,), "other": (other.public_id,)}


def webhooks_of(account: Account) -> Arguments:
    """Let an endpoint have heard of one thing at the second attempt."""
    at = now()
    endpoint = endpoints.add(
        url="https://backend.example/hooks/purser",
        kinds=OutgoingKind.values,
        by=None,
        at=at,
    )
    facts.tell_reload_failed(account, reload_id=1, reason="expired_card", at=at)
    delivery = endpoint.deliveries.get()
    for status, error in ((None, "TimeoutError: timed out"), (204, "")):
        DeliveryAttempt.objects.create(
            delivery=delivery, at=at, status=status, error=error, took_ms=41
        )
    delivery.delivered_at, delivery.next_attempt_at = at, None
    delivery.save()
    silent = endpoints.add(
        url="https://old.example/", kinds=["plan.changed"], by=None, at=at
    )
    endpoints.disable(silent, reason="It answered 410.", by=None, at=at)
    return {"endpoint": (endpoint.public_id,), "silent": (silent.public_id,)}
