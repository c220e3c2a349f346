"""Webhooks: whether Stripe sent them to us, and what they are about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import stripe
from django.conf import settings

from billing.stripe_gateway.connection import (
    BillingError,
    client,
    translated_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOLERANCE = timedelta(seconds=300)
_LONGEST_ID, _LONGEST_KIND = 96, 60
_PAGE = 100


class NotFromStripe(BillingError):
    """A webhook that Stripe did not sign, or not now, or that is no event of ours."""


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """A signed event of ours: a hint at which of Stripe's objects to look at."""

    id: str
    kind: str
    object_id: str
    object_kind: str
    api_version: str
    is_live: bool
    payload: dict[str, Any]


def parse_event(
    body: bytes, header: str, secrets: Sequence[str], *, at: datetime
) -> StripeEvent:
    """Return the event in a webhook's raw body once its signature is verified.

    Every secret is tried: while one is rolled, both are right. `at` is real time;
    the signature may be 300 seconds away from it, on either side.

    Raises:
        NotFromStripe: it is not to be believed, or not for us.

    Source: https://docs.stripe.com/webhooks/signature
    """
    try:
        _require_signature(body, header, secrets)
        _require_recent(header, at)
        payload = json.loads(body)
    except (ValueError, OverflowError, RecursionError) as unreadable:
        raise NotFromStripe(str(unreadable)) from unreadable
    if not _is_ours(payload):
        message = "This is not an event of this account and mode."
        raise NotFromStripe(message)
    return _event(payload)


def events_after(
    last_id: str, *, since: datetime, kinds: Sequence[str]
) -> list[StripeEvent]:
    """Return what Stripe has told after an event, oldest first: a month at most.

    Without a `last_id` all that it told from `since` on; of `kinds` only.

    Raises:
        StripeUnavailable: ask again.
    """
    wanted = set(kinds)
    params: stripe.params.EventListParams = {"limit": _PAGE}
    if last_id:
        params["ending_before"] = last_id
    else:
        params["created"] = {"gte": int(since.timestamp())}
    with translated_errors():
        told = client().v1.events.list(params)
        # As text and back: the SDK makes decimals, which a payload cannot hold.
        found = [
            json.loads(str(event))
            for event in told.auto_paging_iter()
            if event.type in wanted
        ]
    # The SDK turns pages before an event around, but not those since an instant.
    oldest_first = found if last_id else found[::-1]
    return [_event(event) for event in oldest_first if _is_ours(event)]


def _require_signature(body: bytes, header: str, secrets: Sequence[str]) -> None:
    if not any(_is_signed(body, header, secret) for secret in secrets):
        message = "No configured secret made this signature."
        raise NotFromStripe(message)


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def _require_recent(header: str, at: datetime) -> None:
    # The SDK would refuse only what is too old, not what comes from the future.
    fields = (field.split("=", 1) for field in header.split(","))
    timestamp = next(int(value) for name, value in fields if name == "t")
    if abs(at - datetime.fromtimestamp(timestamp, UTC)) > _TOLERANCE:
        message = "The signature is out of time."
        raise NotFromStripe(message)


def _is_ours(payload: object) -> bool:
    return (
        isinstance(payload, dict)
        # Thin events and the envelopes of cloud providers are something else.
        and payload.get("object") == "event"
        and payload.get("livemode") is _expects_live()
        # Connect names the other account whose event it delivers.
        and not payload.get("account")
    )


def _expects_live() -> bool:
    key: str = settings.STRIPE_SECRET_KEY
    return key.startswith(("sk_live_", "rk_live_"))


def _event(payload: dict[str, Any]) -> StripeEvent:
    try:
        subject = payload["data"]["object"]
        event = StripeEvent(
            id=_text(payload["id"], _LONGEST_ID),
            kind=_text(payload["type"], _LONGEST_KIND),
            # A balance has no id: such an event is a subject of its own.
            object_id=_text(subject.get("id") or payload["id"], _LONGEST_ID),
            object_kind=_text(subject["object"], _LONGEST_KIND),
            api_version=str(payload.get("api_version") or "")[:40],
            is_live=payload["livemode"],
            payload=payload,
        )
    except (TypeError, KeyError, AttributeError) as incomplete:
        message = "This is no complete event."
        raise NotFromStripe(message) from incomplete
    return event


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise TypeError
    return value
