"""The client of the SDK, and what its errors mean here."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import stripe
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_NETWORK_RETRIES = 2

_http_client: stripe.HTTPClient | None = None


class BillingError(Exception):
    """Something about money that callers can expect and explain."""


class StripeUnavailable(BillingError):
    """Stripe gave no answer: what was asked for may have happened. Ask again, same key.

    Nothing that was not confirmed may be taken for a failure.
    """


class PaymentDeclined(BillingError):
    """The bank refused the payment; no money moved."""

    def __init__(self, message: str, *, code: str, decline_code: str) -> None:
        """Remember Stripe's sentence for the customer and the two codes."""
        super().__init__(message)
        self.code = code
        self.decline_code = decline_code


class NotAtStripe(BillingError):
    """Stripe has no such object, at least not in this account and mode."""


@contextmanager
def using(http_client: stripe.HTTPClient) -> Iterator[None]:
    """Speak to Stripe through another transport until the block ends, in any thread."""
    global _http_client  # noqa: PLW0603 - one process speaks to one Stripe
    before, _http_client = _http_client, http_client
    client.cache_clear()
    try:
        yield
    finally:
        _http_client = before
        client.cache_clear()


@lru_cache(maxsize=1)
def client() -> stripe.StripeClient:
    """Return the client of this process, made when it is first needed."""
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        max_network_retries=_NETWORK_RETRIES,
        # The SDK's own limit is 80 s: too long for whoever waits for a page.
        http_client=_http_client
        or stripe.RequestsClient(timeout=settings.STRIPE_TIMEOUT_S),
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the SDK's errors that callers can expect into ours; let others pass."""
    try:
        yield
    except stripe.CardError as declined:
        raise PaymentDeclined(
            declined.user_message or str(declined),
            code=declined.code or "",
            decline_code=(declined.error and declined.error.decline_code) or "",
        ) from declined
    except stripe.InvalidRequestError as refused:
        if refused.code == "resource_missing":
            raise NotAtStripe(str(refused)) from refused
        raise
    except (stripe.APIConnectionError, stripe.RateLimitError) as silent:
        raise StripeUnavailable(str(silent)) from silent
    except stripe.APIError as failed:
        # What the SDK has no name for: a fault of Stripe's, or a key in use (409).
        raise StripeUnavailable(str(failed)) from failed
