"""Prices the lines of a request, and says which of them cannot be priced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from credits.api import problems
from credits.api.schemas import LineOut
from credits.core.rating import ExactRate, JobLine, MissingRate, price_job
from credits.ledger import UsedLine
from credits.models import RateUnit
from credits.quoting import quote_at
from credits.signals import rate_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credits.api.schemas import LineIn
    from credits.quoting import Quote, RateTable

log = structlog.get_logger(__name__)


def priced(lines: Sequence[LineIn], rates: RateTable) -> Quote:
    """Return what the lines cost.

    Raises:
        Problem: a feature has no rate (R97).
    """
    known = {rate.feature for rate in rates.rates}
    if unknown := {line.feature for line in lines} - known:
        log.error("rate_missing", features=sorted(unknown), rate_plan=rates.rate_plan)
        rate_missing.send_robust(
            sender=None,
            rate_plan=rates.rate_plan,
            version=rates.version,
            features=sorted(unknown),
        )
        raise problems.invalid(
            {
                "detail": str(MissingRate(line.feature)),
                "pointer": f"#/lines/{n}/feature",
            }
            for n, line in enumerate(lines)
            if line.feature in unknown
        )
    return quote_at(
        lines=[JobLine(line.feature, line.quantity) for line in lines], table=rates
    )


def unpriced(lines: Sequence[LineIn]) -> tuple[UsedLine, ...]:
    """Return the lines as the ledger compares them: what they cost is no part of it."""
    free = dict.fromkeys((line.feature for line in lines), ExactRate(0, 1))
    job = [JobLine(line.feature, line.quantity) for line in lines]
    return tuple(
        UsedLine(line.feature, line.quantity, 0, 0) for line in price_job(job, free)
    )


def lines_out(lines: Sequence[UsedLine], rates: RateTable) -> list[LineOut]:
    """Return priced lines with their units."""
    units = {rate.feature: rate.unit for rate in rates.rates}
    return [
        LineOut(
            feature=line.feature,
            quantity=line.quantity,
            unit=RateUnit(units[line.feature]),
            credits=line.credits,
        )
        for line in lines
    ]
