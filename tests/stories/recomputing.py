"""The figures of finance a second time, sharing nothing with the reports.

By window functions over entries and grants, by this file's own reading of the keys, and
from the sandbox's own balance transactions.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from billing.models import ClosedMonth
from tests.stripe_wire import StripeWire

Pair = tuple[int, int]

_DRAWS = """
    SELECT source, kind, key, credits, occurred_at, created_at,
        cost * (granted - before) / granted - cost * (granted - after) / granted
    FROM (
        SELECT g.source, e.kind, e.idempotency_key AS key, d.credits,
            CASE e.kind WHEN 'EXPIRE' THEN greatest(e.occurred_at, g.created_at)
                ELSE e.occurred_at END AS occurred_at,
            e.created_at, g.cost_basis_cents AS cost, g.granted,
            (sum(d.credits) OVER grants)::bigint AS after,
            (sum(d.credits) OVER grants)::bigint - d.credits AS before
        FROM credits_grantdraw d
        JOIN credits_ledgerentry e ON e.id = d.entry_id
        JOIN credits_creditgrant g ON g.id = d.grant_id
        WINDOW grants AS (PARTITION BY g.id ORDER BY e.id)
    ) AS drawn WHERE credits <> 0
"""
_BY_KIND = {
    "SPEND": "USED",
    "CAPTURE": "USED",
    "REVERSE": "RESTORED",
    "EXPIRE": "EXPIRED",
    "REPAY": "REPAID",
    "MOVE": "MOVED",
}
_BY_SOURCE = {
    "PURCHASE": "SOLD",
    "RELOAD": "SOLD",
    "PLAN": "GRANTED",
    "UPGRADE": "GRANTED",
    "ADJUSTMENT": "ADJUSTED",
    "PROMO": "ADJUSTED",
    "RESTORE": "GIVEN",
}
_BY_KEY = {
    ("REVOKE", "refund"): "REFUNDED",
    ("REVOKE", "dispute"): "DISPUTED",
    ("REVOKE", "return"): "RETURNED",
    ("REVOKE", "plan-ended"): "FORFEITED",
    ("REVOKE", "adjustment"): "ADJUSTED",
    ("REVOKE", "make-good"): "RESTORED",
    ("REINSTATE", "refund"): "REINSTATED",
}


def counts_at(occurred_at: datetime, recorded_at: datetime) -> datetime:
    """R93, in this file's own words."""
    closed = ClosedMonth.objects.filter(closed_at__lte=recorded_at)
    return max([occurred_at, *closed.values_list("ends_at", flat=True)])


class Movement(NamedTuple):
    """When it happened and when it counts, what it is, its credits and cents."""

    occurred_at: datetime
    counts_at: datetime
    name: str
    credits: int
    cents: int


def movements() -> list[Movement]:
    """Every movement of credits."""
    with connection.cursor() as cursor:
        cursor.execute(_DRAWS)
        drawn = cursor.fetchall()
    return [
        Movement(
            occurred,
            counts_at(occurred, recorded),
            _name(kind, key, source),
            credits,
            int(cents),
        )
        for source, kind, key, credits, occurred, recorded, cents in drawn
    ]


def _name(kind: str, key: str, source: str) -> str:
    first = key.partition(":")[0]
    if kind == "GRANT":
        return "MOVED" if first == "move" else _BY_SOURCE[source]
    return _BY_KIND.get(kind) or _BY_KEY[kind, first]


def added_up(
    moved: list[Movement], since: datetime | None, until: datetime
) -> dict[str, Pair]:
    """What each movement came to in [since, until): credits and cents."""
    credits, cents = Counter(), Counter()
    for one in moved:
        if one.counts_at < until and (since is None or one.counts_at >= since):
            credits[one.name] += one.credits
            cents[one.name] += one.cents
    return {name: (credits[name], cents[name]) for name in credits}


def total(sums: dict[str, Pair]) -> Pair:
    """All movements together."""
    return sum(one for one, _ in sums.values()), sum(one for _, one in sums.values())


def cash_at_stripe(wire: StripeWire, since: datetime, until: datetime) -> dict:
    """What the sandbox's own balance did in [since, until), by category."""
    sums = {}
    for one in wire.sandbox.store.find("balance_transaction"):
        if since.timestamp() <= one["created"] < until.timestamp():
            amount, fee = sums.get(one["reporting_category"], (0, 0))
            sums[one["reporting_category"]] = (
                amount + one["amount"],
                fee + one["fee"],
            )
    return sums


def number_of(query: str) -> int:
    """One number of the database."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0] or 0)
