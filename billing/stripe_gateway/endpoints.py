"""Where Stripe sends its webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import stripe

from billing.stripe_gateway.connection import client, translated_errors

if TYPE_CHECKING:
    from collections.abc import Sequence


def ensure_webhook_endpoint(*, url: str, events: Sequence[str]) -> str | None:
    """Let Stripe send these events to an address, in the SDK's version of the API.

    Returns the signing secret of a new endpoint, which Stripe shows only then, and
    None when the endpoint was there (its events are brought up to date).

    Raises:
        StripeUnavailable: ask again.
    """
    endpoints = client().v1.webhook_endpoints
    # The SDK lists every event by name; ours come from the handlers as plain text.
    wanted = cast("Any", sorted(events))
    with translated_errors():
        for endpoint in endpoints.list({"limit": 100}).auto_paging_iter():
            if (endpoint.url, endpoint.api_version) == (url, stripe.api_version):
                if sorted(endpoint.enabled_events) != wanted:
                    endpoints.update(endpoint.id, {"enabled_events": wanted})
                return None
        # Without a version the endpoint would follow the account's, not the SDK's.
        created = endpoints.create(
            {
                "url": url,
                "enabled_events": wanted,
                "api_version": cast("Any", stripe.api_version),
            }
        )
    return created.secret
