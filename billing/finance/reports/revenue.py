"""Revenue of a period: used, broken, given back; breakage by estimate beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.core.periods import MONTHS_IN_YEAR, add_months
from billing.finance.reports import postings
from billing.finance.reports.accounts import OF_THE_RESULT
from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import before, bounds, rows
from billing.finance.reports.movements import Movement
from billing.models import BookingKind

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span
    from billing.finance.reports.dating import Row

_WHOLE = 1_000_000
# Each grant: what of it broke, and what of it was used and ended in the period. Only
# what has a date of its own matures: what never expires has no breakage. Of all of
# history only the few kinds are looked at that can end a grant.
BY_GRANT = f"""
    SELECT lot.id, lot.source, lot.granted, lot.cost_basis_cents,
        lot.expires_at >= %(since)s AND lot.expires_at < %(end)s AS has_matured,
        coalesce(-sum(moved.credits) FILTER (WHERE is_end), 0)::bigint AS broken,
        coalesce(-sum(moved.cents) FILTER (WHERE is_end), 0)::bigint AS broken_cents,
        coalesce(-sum(cents_now) FILTER (WHERE is_end), 0)::bigint AS ended_now,
        coalesce(-sum(cents_now) FILTER (WHERE NOT is_end), 0)::bigint AS used_now
    FROM credits_creditgrant AS lot
    LEFT JOIN (
        SELECT grant_id, true AS is_end, credits, cents,
            CASE WHEN NOT {before("start")} THEN cents END AS cents_now
        FROM billing_moved_since('-infinity')
        WHERE kind IN ('EXPIRE', 'REVOKE') AND movement IN ('EXPIRED', 'FORFEITED')
            AND {before("end")}
        UNION ALL
        SELECT grant_id, false, credits, cents, cents
        FROM billing_moved_since(%(start)s)
        WHERE movement IN ('USED', 'RESTORED')
            AND {before("end")} AND NOT {before("start")}
    ) AS moved ON moved.grant_id = lot.id
    GROUP BY lot.id
"""  # noqa: S608 - our own names
_ESTIMATES = f"""
    SELECT source,
        coalesce(sum(granted) FILTER (WHERE has_matured), 0)::bigint
            AS matured_credits,
        coalesce(sum(cost_basis_cents) FILTER (WHERE has_matured), 0)::bigint
            AS matured_cents,
        coalesce(sum(broken) FILTER (WHERE has_matured), 0)::bigint AS broken_credits,
        coalesce(sum(broken_cents) FILTER (WHERE has_matured), 0)::bigint
            AS broken_cents,
        sum(used_now)::bigint AS used_cents, sum(ended_now)::bigint AS on_expiry_cents
    FROM ({BY_GRANT}) AS by_grant GROUP BY source ORDER BY source
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
    found = [one for one in postings.of_period(period) if one.account in OF_THE_RESULT]
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
        "since": matures_since(period),
    }
    return [_estimate(row) for row in rows(_ESTIMATES, values)]


def matures_since(period: Span) -> datetime:
    """Return from when on grants must have ended to say what breaks in a period."""
    return add_months(period.ends_at, -MONTHS_IN_YEAR)


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
