"""Writing down what the product's backend is to be told, with what happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.models import TEST_KIND, Delivery, OutgoingMessage, WebhookEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from accounts.models import Account
    from billing.models import OutgoingKind

Figures = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to an account; `key` names it, so it is told once."""

    key: str
    account: Account
    figures: Mapping[str, str | int | None]


def listeners(kind: OutgoingKind) -> list[int]:
    """Return the ids of the endpoints that hear of something; mostly there are none.

    One that is disabled hears later of what it missed.
    """
    wanted = WebhookEndpoint.objects.filter(removed_at=None, kinds__contains=[kind])
    return list(wanted.values_list("pk", flat=True))


def announce(
    kind: OutgoingKind, facts: Iterable[Fact], *, to: Iterable[int], at: datetime
) -> None:
    """Write down what happened, for the endpoints whose ids are given.

    Call it in the transaction in which it happens: then both are kept, or neither.
    """
    told = [_message(kind, fact, at) for fact in facts]
    OutgoingMessage.objects.bulk_create(told, ignore_conflicts=True)
    stored = OutgoingMessage.objects.filter(key__in=[one.key for one in told])
    endpoints = list(to)
    Delivery.objects.bulk_create(
        [
            Delivery(message_id=message_id, endpoint_id=pk, next_attempt_at=at)
            for message_id in stored.values_list("pk", flat=True)
            for pk in endpoints
        ],
        ignore_conflicts=True,
    )


def announce_test(endpoint: WebhookEndpoint, *, at: datetime) -> OutgoingMessage:
    """Write down a message that tells of nothing, for one endpoint alone."""
    return OutgoingMessage.objects.create(
        key=f"{TEST_KIND}:{endpoint.pk}:{at.isoformat()}",
        kind=TEST_KIND,
        body=_body(TEST_KIND, {"endpoint": endpoint.public_id}, at),
        occurred_at=at,
    )


def _message(kind: OutgoingKind, fact: Fact, at: datetime) -> OutgoingMessage:
    figures = {"account": fact.account.public_id, **fact.figures}
    return OutgoingMessage(
        key=f"{kind}:{fact.key}",
        kind=kind,
        account=fact.account,
        body=_body(kind, figures, at),
        occurred_at=at,
    )


def _body(kind: str, figures: Mapping[str, str | int | None], at: datetime) -> str:
    body = {"type": str(kind), "timestamp": at.isoformat(), "data": figures}
    return json.dumps(body, separators=(",", ":"))
