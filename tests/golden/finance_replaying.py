"""What finance reads in vectors: movements with their cents, and accounts.

Whatever a vector of a plan is about, its books must also agree with the rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

from billing.core.periods import Span
from billing.finance import stripe_balance
from billing.finance.reports import deferred, journal, liability, revenue
from billing.reconciling import reading

_LATER = timedelta(minutes=1)
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
# R101: the other way to recognize breakage stands beside it.
_PROPORTIONAL = "by_proportion"


class FinanceFigures:
    """Adds what finance reads to the outcome, and knows what must hold of it."""

    def outcome(self) -> dict:
        """Return all that a vector may expect, with the figures of its whole time."""
        whole = Span(_BEFORE_ALL, self.at + _LATER)
        rows = liability.roll_forward(whole)
        return super().outcome() | {
            "moved": {
                str(one.movement): [one.amount.credits, one.amount.cents]
                for row in rows
                for one in row.moved
                if one.amount.credits
            },
            "closing": [
                sum(row.closing.credits for row in rows),
                sum(row.closing.cents for row in rows),
            ],
            "accounts": {
                name: cents for name, cents in self._balances().items() if cents
            },
            "breakage": [
                {
                    "source": one.source,
                    "on_expiry": one.on_expiry_cents,
                    _PROPORTIONAL: one.proportional_cents,
                }
                for one in revenue.breakage_estimates(whole)
            ],
        }

    def wrong_books(self) -> list[str]:
        """Return what of the books does not agree with the rows."""
        books, due = self._balances(), deferred.waterfall(at=self.at + _LATER)
        must_be = {
            "deferred_revenue": -_number(_LEFT),
            "prepaid": -sum(one.unbegun.cents for one in due),
            "receivable": _number(_AT_BANKS),
            "other": 0,
        }
        wrong = [
            f"{name} is {books[name]}, not {cents}"
            for name, cents in must_be.items()
            if books[name] != cents
        ]
        return wrong + [f"{sum(books.values())} too much"] * bool(sum(books.values()))

    def _balances(self) -> dict[str, int]:
        stripe_balance.keep(reading.read(None).movements, at=self.at)
        found = journal.balances(at=self.at + _LATER)
        return {one.account: one.cents for one in found}


_LEFT = (
    "SELECT sum(cost_basis_cents - cost_basis_cents * (granted - remaining) / granted)"
    " FROM credits_creditgrant"
)
_AT_BANKS = "SELECT sum(amount_cents) FROM billing_dispute WHERE effect = 'FROZEN'"


def _number(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0] or 0)
