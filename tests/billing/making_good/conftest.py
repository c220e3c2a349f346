"""A wallet, and somebody of the staff who makes incidents good."""

from __future__ import annotations

import pytest

from tests.billing.batches import DAY, staff
from tests.factories import make_wallet


@pytest.fixture
def wallet():
    return make_wallet(grants={"plan": (1_000, 30 * DAY)})


@pytest.fixture
def maker():
    return staff()
