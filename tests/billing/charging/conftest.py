"""Auto-reload on a Business account whose credits run short."""

from __future__ import annotations

import pytest

from billing.models import AutoReload
from tests.billing.reloads import agree, save_card, use


@pytest.fixture
def card(wire, business):
    return save_card(wire, business)


@pytest.fixture
def auto(business, alice, card) -> AutoReload:
    """Below 500 of 1,500 credits: 3 blocks of 100 for $5 each."""
    return agree(business, alice, card)


@pytest.fixture
def short(business, auto):
    """400 credits are left."""
    use(business, 1_100)
    return business
