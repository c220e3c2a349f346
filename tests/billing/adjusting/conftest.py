"""A wallet, and two of the staff who may adjust it."""

from __future__ import annotations

import pytest

from tests.billing.adjustments import DAY, make_admin
from tests.factories import make_wallet


@pytest.fixture
def wallet():
    """30 credits that end tomorrow and 50 that end in a month."""
    return make_wallet(grants={"soon": (30, DAY), "later": (50, 30 * DAY)})


@pytest.fixture
def ada():
    return make_admin("ada@example.com")


@pytest.fixture
def grace():
    return make_admin("grace@example.com")
