"""The same events in every order, each told twice: what comes of it is compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from math import factorial
from random import Random
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.models import Notice
from billing.models import (
    AutoReload,
    Dispute,
    FraudWarning,
    Invoice,
    PlanChange,
    Purchase,
    Refund,
    Reload,
    Subscription,
)
from billing.subscriptions import chasing
from billing.webhooks import inbox
from credits import audits
from credits.models import CreditGrant, Wallet
from tests.billing.conftest import event_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Objects that came too early are tried again: first after half a minute.
_RETRIES = [timedelta(minutes=2**n) for n in range(8)]
_FACTS = {
    Wallet: "balance held frozen debt plan_ends_at spends_until",
    CreditGrant: "source granted remaining held frozen_for expires_at",
    Purchase: "state blocks_paid paid_cents",
    Reload: "state attempt declines decline_code next_attempt_at",
    AutoReload: "is_on suspension",
    Invoice: "stripe_invoice_id status paid_at",
    Subscription: "status plan_version_id paid_until cancel_at ended_at disputed_at",
    PlanChange: "kind state",
    Refund: "state amount_cents credits_removed debt_credits debt_cents",
    Dispute: "status effect removed_credits debt_credits debt_cents",
    FraudWarning: "state is_actionable",
}


def orders(events: list[dict], *, most: int, seed: int = 1) -> Iterator[list[dict]]:
    """Yield orders of the events, each of them twice: all, or so many drawn by lot."""
    if factorial(len(events)) <= most:
        for order in permutations(events):
            yield [*order, *order]
        return
    random = Random(seed)  # noqa: S311 - the same ones each time
    for _ in range(most):
        doubled = events * 2
        random.shuffle(doubled)
        yield doubled


def outcome_of(order: list[dict], *, at: datetime) -> dict[str, Any]:
    """Tell events in an order, each acted on at once; return what came of it.

    Everything is undone afterwards, so that the next order finds the same portal.
    """
    with transaction.atomic():
        for event in order:
            subject_id = inbox.receive(event_of(event), at=at)
            inbox.look_at(subject_id, at=at)
        for pause in _RETRIES:
            _sweep(at + pause)
        found = _state()
        transaction.set_rollback(True)
    return found


def _sweep(at: datetime) -> None:
    for subject_id in inbox.due_subjects(limit=1_000, at=at):
        inbox.look_at(subject_id, at=at)
    for dispute_id in chasing.due_disputes(limit=1_000, at=at):
        chasing.look_after_dispute(dispute_id=dispute_id, at=at)


def _state() -> dict[str, Any]:
    state: dict[str, Any] = {
        model.__name__: sorted(model.objects.values_list(*facts.split()), key=repr)
        for model, facts in _FACTS.items()
    }
    return state | {
        "notices": sorted(Notice.objects.values_list("kind", "recipient")),
        "findings": audits.verify(),
    }
