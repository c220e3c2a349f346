"""What the vectors share: rates, published for each of them anew."""

from __future__ import annotations

import pytest

from credits import quoting
from tests.billing.conftest import offered, wire

__all__ = ["_forget_rates", "offered", "wire"]


@pytest.fixture(autouse=True)
def _forget_rates():
    """Cards are cached for good (R96); each vector has a database of its own."""
    quoting.rate_table.cache_clear()
    quoting._published.cache_clear()
