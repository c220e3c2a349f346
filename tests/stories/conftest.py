"""Stories use what the tests of billing and of credits use."""

from __future__ import annotations

from tests.billing.conftest import offered, wire
from tests.credits.conftest import _forget_rates, rates

__all__ = ["_forget_rates", "offered", "rates", "wire"]
