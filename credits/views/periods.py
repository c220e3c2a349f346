"""Which period an address asks a statement for: a month, a cycle, or dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

from accounts.templatetags.units import calendar_day
from config.clock import now
from credits.core.spans import day_of, span_of_days
from credits.forms import StatementPeriod
from credits.period_statements import period_of, previous_cycle_starts_at
from credits.usage import first_entry_at
from credits.views.units import chosen_wallet

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from accounts.http import AccountRequest
    from credits.models import Wallet
    from credits.period_statements import Period
    from credits.views.units import ChosenWallet

_MICROSECOND, _DAY = timedelta(microseconds=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChosenPeriod:
    """A period of a wallet, in the time zone of its account (R16).

    `name` is how addresses name it: cycle, last, a month, or nothing for dates.
    """

    of: ChosenWallet
    zone: ZoneInfo
    at: datetime
    form: StatementPeriod
    name: str
    period: Period

    @property
    def days(self) -> tuple[date, date]:
        """Return the first and the last day that it touches."""
        ends = self.period.starts_at, self.period.ends_at - _MICROSECOND
        first, last = (day_of(instant, self.zone) for instant in ends)
        return first, last

    @property
    def is_cycle(self) -> bool:
        """Whether its name means another period when the next cycle begins."""
        return self.name in {StatementPeriod.CYCLE, StatementPeriod.LAST_CYCLE}

    @property
    def query(self) -> str:
        """Return what leads back to it, as the ledger is now.

        Page and files of one look agree, whatever is posted in between.
        """
        first, last = self.days
        asked = {"from": first.isoformat(), "to": last.isoformat()}
        if self.name:
            asked = {"range" if self.is_cycle else "month": self.name}
        if self.of.unit:
            asked["unit"] = self.of.unit
        return f"?{urlencode(asked | {'entries': str(self.period.last_seq)})}"

    @property
    def words(self) -> str:
        """Return what people call it."""
        if self.is_cycle:
            is_this = self.name == StatementPeriod.CYCLE
            return _("This cycle") if is_this else _("Last cycle")
        if self.name:
            return _month_words(self.days[0])
        first, last = self.period.starts_at, self.period.ends_at - _MICROSECOND
        return _("%(first)s to %(last)s") % {
            "first": calendar_day(first, self.zone.key),
            "last": calendar_day(last, self.zone.key),
        }

    @property
    def ranges(self) -> list[dict[str, object]]:
        """Return links to the periods that are asked for most."""
        today = day_of(self.at, self.zone)
        last_month = today.replace(day=1) - _DAY
        choices = {
            "cycle": (_("This cycle"), "range"),
            "last": (_("Last cycle"), "range"),
            _month_name(today): (_("This month"), "month"),
            _month_name(last_month): (_("Last month"), "month"),
        }
        if previous_cycle_starts_at(self.of.wallet) is None:
            del choices["last"]
        if self.of.wallet.cycle_ends_at is None:
            del choices["cycle"]
        unit = {"unit": self.of.unit} if self.of.unit else {}
        return [
            {
                "label": label,
                "url": f"?{urlencode({field: name} | unit)}",
                "is_current": name == self.name,
            }
            for name, (label, field) in choices.items()
        ]


def chosen_period(request: AccountRequest) -> ChosenPeriod:
    """Return the period that the address names, or else this month."""
    chosen = chosen_wallet(request)
    wallet, zone, at = chosen.wallet, ZoneInfo(request.account.time_zone), now()
    form = StatementPeriod(request.GET, months=_months(wallet, zone, at))
    form.is_valid()
    name, starts_at, ends_at = _bounds(form, wallet, zone, at)
    period = period_of(
        wallet.pk,
        starts_at=starts_at,
        ends_at=ends_at,
        last_seq=form.cleaned_data.get("entries"),
        at=at,
    )
    return ChosenPeriod(chosen, zone, at, form, name, period)


def _bounds(
    form: StatementPeriod, wallet: Wallet, zone: tzinfo, at: datetime
) -> tuple[str, datetime, datetime]:
    sent, began = form.cleaned_data, wallet.cycle_starts_at
    if form.is_custom:
        return "", *_days(sent["from"], sent["to"], zone)
    name = sent.get("range", "")
    if name == form.CYCLE and began and wallet.cycle_ends_at:
        return name, began, wallet.cycle_ends_at
    before = previous_cycle_starts_at(wallet) if name == form.LAST_CYCLE else None
    if before and began:
        return name, before, began
    name = sent.get("month") or _month_name(day_of(at, zone))
    first = date.fromisoformat(f"{name}-01")
    return name, *_days(first, _next_month(first) - _DAY, zone)


def _days(first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return (
        span_of_days(first, first, zone).starts_at,
        span_of_days(last, last, zone).ends_at,
    )


def _months(wallet: Wallet, zone: tzinfo, at: datetime) -> list[tuple[str, str]]:
    """Return the months since a wallet's first entry, newest first."""
    month = day_of(first_entry_at(wallet.pk) or at, zone).replace(day=1)
    months = []
    while month <= day_of(at, zone):
        months.append((_month_name(month), _month_words(month)))
        month = _next_month(month)
    return months[::-1]


def _next_month(first: date) -> date:
    return (first + 31 * _DAY).replace(day=1)


def _month_name(day: date) -> str:
    return f"{day:%Y-%m}"


def _month_words(day: date) -> str:
    return f"{MONTHS[day.month]} {day.year}"
