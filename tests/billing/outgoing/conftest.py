"""The product's backend, and its endpoint."""

from __future__ import annotations

import pytest

from billing.models import OutgoingKind, WebhookEndpoint
from billing.outgoing import endpoints
from tests.billing.backends import Backend
from tests.conftest import NOW


@pytest.fixture
def backend():
    backend = Backend()
    yield backend
    backend.close()


@pytest.fixture
def endpoint(backend) -> WebhookEndpoint:
    return endpoints.add(url=backend.url, kinds=OutgoingKind.values, by=None, at=NOW)
