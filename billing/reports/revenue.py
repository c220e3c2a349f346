"""Revenue of a period: used, broken, given back; breakage by estimate beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.core.periods import MONTHS_IN_YEAR, add_months
from billing.models import BookingKind
from billing.reports import postings
from billing.reports.accounts import OF_THE_RESULT
from billing.reports.amounts import Amount
from billing.reports.dating import before, bounds, rows
from billing.reports.movements import Movement

if TYPE_CHECKING:
    from billing.core.periods import Span
    from billing.reports.dating import Row

_WHOLE = 1_000_000
# Grants with a date of their own: what never expires has no breakage.
_ESTIMATES = f"""
    WITH moved AS (
        SELECT grant_id, movement, sum(credits) AS credits, sum(cents) AS cents,
            sum(cents) FILTER (WHERE NOT {before("start")}) AS cents_now
        FROM billing_moved()
        WHERE movement IN ('USED', 'RESTORED', 'EXPIRED', 'FORFEITED')
            AND {before("end")}
        GROUP BY 1, 2
    ), by_grant AS (
        SELECT lot.id, lot.source, lot.granted, lot.cost_basis_cents,
            lot.expires_at >= %(since)s AND lot.expires_at < %(end)s AS has_matured,
            coalesce(-sum(moved.credits) FILTER (WHERE is_end), 0) AS broken,
            coalesce(-sum(moved.cents) FILTER (WHERE is_end), 0) AS broken_cents,
            coalesce(-sum(cents_now) FILTER (WHERE is_end), 0) AS ended_now,
            coalesce(-sum(cents_now) FILTER (WHERE NOT is_end), 0) AS used_now
        FROM credits_creditgrant AS lot
        LEFT JOIN moved ON moved.grant_id = lot.id
        CROSS JOIN LATERAL (
            SELECT moved.movement IN ('EXPIRED', 'FORFEITED') AS is_end
        ) AS what
        GROUP BY lot.id
    )
    SELECT source,
        coalesce(sum(granted) FILTER (WHERE has_matured), 0)::bigint
            AS matured_credits,
        coalesce(sum(cost_basis_cents) FILTER (WHERE has_matured), 0)::bigint
            AS matured_cents,
        coalesce(sum(broken) FILTER (WHERE has_matured), 0)::bigint AS broken_credits,
        coalesce(sum(broken_cents) FILTER (WHERE has_matured), 0)::bigint
            AS broken_cents,
        sum(used_now)::bigint AS used_cents, sum(ended_now)::bigint AS on_expiry_cents
    FROM by_grant GROUP BY source ORDER BY source
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class RevenueLine:
    """One line: `name` is stable for exports, `label` for pages.

    Cents are positive for revenue and negative for what lowers it.
    """

    name: str
    label: str
    amount: Amount
    drill: str


@dataclass(frozen=True, slots=True)
class BreakageEstimate:
    """Breakage of one source, on expiry and pro rata to use (R101).

    `rate_ppm` is the share of matured grants that expired unspent, in millionths.
    """

    source: str
    matured: Amount
    broken: Amount
    rate_ppm: int
    used_cents: int
    on_expiry_cents: int
    proportional_cents: int


def revenue(period: Span) -> list[RevenueLine]:
    """Return the lines of a period's revenue; their sum is the journal's.

    Source: docs/rules.md R86, R100, R101.
    """
    found = [
        one
        for one in postings.of_period(period, by_day=False)
        if one.account in OF_THE_RESULT
    ]
    found.sort(key=lambda one: (OF_THE_RESULT.index(one.account), one.reference))
    return [
        RevenueLine(
            name=f"{one.account.value}.{one.reference}",
            label=f"{one.account.label}: {_label(one.reference)}",
            amount=Amount(-one.credits, -one.cents),
            drill=one.drill,
        )
        for one in found
    ]


def breakage_estimates(period: Span) -> list[BreakageEstimate]:
    """Return breakage both ways, a row for each source.

    The rate is what expired of the grants that ended in the 12 months up to the
    period's end, of all that they brought. Pro rata to use: used x rate / (1 - rate).

    Source: docs/rules.md R101.
    """
    values = {
        **bounds(start=period.starts_at, end=period.ends_at),
        "since": add_months(period.ends_at, -MONTHS_IN_YEAR),
    }
    return [_estimate(row) for row in rows(_ESTIMATES, values)]


def proportional_cents(used_cents: int, *, broken: int, matured: int) -> int:
    """Return the breakage that goes with use, if so many of the matured credits broke.

    Rounded down; 0 where nothing has matured, or nothing of it was used.

    Source: docs/rules.md R101.
    """
    kept = matured - broken
    return used_cents * broken // kept if kept > 0 else 0


def _estimate(row: Row) -> BreakageEstimate:
    return BreakageEstimate(
        source=row.source,
        matured=Amount(row.matured_credits, row.matured_cents),
        broken=Amount(row.broken_credits, row.broken_cents),
        rate_ppm=_WHOLE * row.broken_credits // (row.matured_credits or 1),
        used_cents=row.used_cents,
        on_expiry_cents=row.on_expiry_cents,
        proportional_cents=proportional_cents(
            row.used_cents, broken=row.broken_credits, matured=row.matured_credits
        ),
    )


def _label(reference: str) -> str:
    for names in (Movement, BookingKind):
        if reference in names.values:
            return str(names(reference).label)
    return reference.replace("_", " ")
