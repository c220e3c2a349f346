"""The usage page: what was used by day, feature and member, and the same as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.roles import Permission
from accounts.templatetags.units import short_date, unbroken_date
from config.clock import now
from credits import usage_report
from credits.core.spans import day_of, span_of_days, span_since
from credits.forms import UsageFilter, UsageRange
from credits.models import RateUnit
from credits.spreadsheets import csv_lines
from credits.usage import TAKEN_BACK, records_of, rows_of
from credits.views.units import chosen_wallet

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from credits.core.spans import Span
    from credits.models import Wallet
    from credits.spreadsheets import Cell
    from credits.usage import Records, UsageRow
    from credits.usage_report import UsageReport
    from credits.views.units import ChosenWallet


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: a range, and what of it."""

    of: ChosenWallet
    zone: ZoneInfo
    at: datetime
    dates: UsageRange
    range: str
    span: Span
    feature: str
    member: str

    @property
    def records(self) -> Records:
        """Return its usage by day and by member, as the page shows it."""
        return records_of(
            self.of.wallet.pk, span=self.span, zone=self.zone, **self.chosen
        )

    @property
    def rows(self) -> tuple[UsageRow, ...]:
        """Return its usage by both at once, as the download does."""
        return rows_of(self.of.wallet.pk, span=self.span, zone=self.zone, **self.chosen)

    @property
    def chosen(self) -> dict[str, str]:
        """Return what of all usage it is."""
        return {"feature": self.feature, "member": self.member}


@require_safe
@requires(Permission.VIEW_CREDITS)
def usage(request: AccountRequest) -> HttpResponse:
    """Show the usage of a range: as a chart, and as tables with the same numbers."""
    asked = _asked(request)
    records = asked.records
    report = usage_report.report_on(records, zone=asked.zone, at=asked.at)
    context = {
        "report": report,
        "units": asked.of.tabs,
        "unit": asked.of.unit,
        "unit_label": asked.of.wallet.get_unit_display(),
        "chart": _chart(report),
        "dates": asked.dates,
        "filter": UsageFilter(
            request.GET,
            features=usage_report.features_in(records),
            members=usage_report.members_in(records),
        ),
        "range": asked.range,
        "range_words": _range_words(asked),
        "ranges": _ranges(asked),
        "zone": asked.zone.key,
        "held": asked.of.wallet.held,
        "csv_url": f"{reverse('credits:usage_csv')}?{request.GET.urlencode()}",
    }
    return render(request, "credits/usage.html", context)


@require_safe
@requires(Permission.VIEW_CREDITS)
def usage_csv(request: AccountRequest) -> StreamingHttpResponse:
    """Send the rows that the page of the same query adds up."""
    asked = _asked(request)
    credits = capfirst(asked.of.wallet.get_unit_display())
    header = ["Date", "Feature", "Member", "Quantity", "Unit", credits]
    lines = csv_lines(header, map(_cells, asked.rows))
    days = asked.span.days
    what = f"{asked.of.unit.lower()}-usage" if asked.of.unit else "usage"
    name = f"{what}-{days[0].date:%Y-%m-%d}-{days[-1].date:%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked(request: AccountRequest) -> Asked:
    # A feature or member may be unknown to the other wallet; dates are not.
    chosen = chosen_wallet(request, kept=("range", "from", "to"))
    zone, at = ZoneInfo(request.account.time_zone), now()
    dates = UsageRange(request.GET)
    dates.is_valid()
    name, span = _range(dates, chosen.wallet, zone, at)
    feature, member = request.GET.get("feature", ""), request.GET.get("member", "")
    return Asked(chosen, zone, at, dates, name, span, feature, member)


def _range(
    dates: UsageRange, wallet: Wallet, zone: ZoneInfo, at: datetime
) -> tuple[str, Span]:
    """Return the range in force, which what makes no sense leaves as usual."""
    today = day_of(at, zone)
    name, began = dates.cleaned_data.get("range"), wallet.cycle_starts_at
    if dates.is_custom:
        first, last = dates.cleaned_data["from"], dates.cleaned_data["to"]
        if first <= today:  # what is still to come is left out
            last = min(last, today)
        return "", span_of_days(first, last, zone)
    if name == UsageRange.CYCLE and began and began <= at:
        return name, span_since(began, today, zone)
    days = int(name) if name in UsageRange.LAST_DAYS else int(UsageRange.USUAL)
    return str(days), span_of_days(today - timedelta(days=days - 1), today, zone)


def _ranges(asked: Asked) -> list[dict[str, object]]:
    names = [*UsageRange.LAST_DAYS]
    if asked.of.wallet.cycle_starts_at:
        names.append(UsageRange.CYCLE)
    kept = asked.chosen | {"unit": asked.of.unit}
    return [
        {
            "label": _("This cycle")
            if name == UsageRange.CYCLE
            else _("%(days)s days") % {"days": name},
            "url": _address({"range": name} | kept),
            "is_current": name == asked.range,
        }
        for name in names
    ]


def _address(query: dict[str, str]) -> str:
    chosen = {name: value for name, value in query.items() if value}
    return f"{reverse('credits:usage')}?{urlencode(chosen)}"


def _range_words(asked: Asked) -> str:
    if asked.range == UsageRange.CYCLE:
        return _("this cycle")
    if asked.range:
        return _("the last %(days)s days") % {"days": asked.range}
    first, last = asked.span.days[0], asked.span.days[-1]
    return _("the days from %(first)s to %(last)s") % {
        "first": unbroken_date(first.date),
        "last": unbroken_date(last.date),
    }


def _chart(report: UsageReport) -> dict[str, object]:
    """Return what static/js/chart_usage.js draws."""
    return {
        "labels": [short_date(bar.days[0].date) for bar in report.bars],
        "titles": [bar.label for bar in report.bars],
        "incomplete": [bar.is_incomplete for bar in report.bars],
        "series": [
            {
                "label": one.label,
                "tone": one.tone,
                "credits": [bar.credits[n] for bar in report.bars],
            }
            for n, one in enumerate(report.series)
        ],
    }


def _cells(row: UsageRow) -> list[Cell]:
    day = row.date.isoformat()
    if row.feature in TAKEN_BACK:
        return [day, row.label, row.member, "", "", row.credits]
    unit = "ms" if row.unit == RateUnit.MILLISECOND else row.shown_per
    return [day, row.label, row.member, row.quantity, unit, row.credits]
