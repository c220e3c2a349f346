"""How long an account's credits last at the pace of the last days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from credits import usage
from credits.core.forecast import Forecast, Lapse, Lot, Pace, forecast

if TYPE_CHECKING:
    from credits.statements import Balance

WINDOWS = (14, 30)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of the available credits at the pace of the last so many days."""

    pace: Pace
    runs_out_at: datetime | None
    days_left: int | None
    lapses: tuple[Lapse, ...]

    @property
    def is_cut_short(self) -> bool:
        """Whether the last credits end unused, not by being used."""
        return bool(self.lapses) and self.lapses[-1].at == self.runs_out_at


def outlooks_of(
    wallet_id: int, balance: Balance, *, at: datetime
) -> tuple[Outlook, ...]:
    """Return an outlook for each window with usage; a young account has but one.

    Credits that are held, frozen or still to come are not counted.
    """
    began = usage.first_entry_at(wallet_id) or at
    age = max(-((began - at) // _DAY), 1)
    windows = sorted({min(days, age) for days in WINDOWS})
    used = usage.used_since(wallet_id, [at - days * _DAY for days in windows])
    lots = [
        Lot(grant.usable, grant.expires_at) for grant in balance.grants if grant.usable
    ]
    return tuple(
        _outlook(Pace(credits, days), lots, at)
        for days, credits in zip(windows, used, strict=True)
        if credits > 0
    )


def _outlook(pace: Pace, lots: list[Lot], at: datetime) -> Outlook:
    ahead: Forecast = forecast(lots, pace, at=at)
    return Outlook(
        pace=pace,
        runs_out_at=ahead.runs_out_at,
        days_left=(ahead.runs_out_at - at) // _DAY if ahead.runs_out_at else None,
        lapses=ahead.lapses,
    )
