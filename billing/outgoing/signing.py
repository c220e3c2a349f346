"""Signatures of outgoing webhooks, and the secrets that make them.

A secret is not stored. It follows from the portal's own key, so a copy of the database
signs nothing; whoever changes SECRET_KEY gives every endpoint a new secret.

Source: the Standard Webhooks specification, symmetric signatures (v1).
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.models import WebhookEndpoint

_PREFIX = "whsec_"


def current_secret(endpoint: WebhookEndpoint) -> str:
    """Return the secret that a receiver verifies by, to be shown once."""
    return _secret(endpoint, endpoint.secret_number)


def secrets_of(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """Return the secrets that sign at an instant: two while one is rolled."""
    found = [current_secret(endpoint)]
    if endpoint.old_secret_until and at < endpoint.old_secret_until:
        found.append(_secret(endpoint, endpoint.secret_number - 1))
    return found


def signature(
    message_id: str, body: bytes, secrets: Iterable[str], *, timestamp: int
) -> str:
    """Return the value of `webhook-signature`: one for each secret."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(f"v1,{_hmac(secret, signed)}" for secret in secrets)


def _secret(endpoint: WebhookEndpoint, number: int) -> str:
    name = f"webhook endpoint {endpoint.public_id} {number}"
    key = hmac.digest(settings.SECRET_KEY.encode(), name.encode(), sha256)
    return _PREFIX + b64encode(key).decode()


def _hmac(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    return b64encode(hmac.digest(key, signed, sha256)).decode()
