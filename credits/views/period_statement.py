"""The provable statement of a period: the page, and the same as CSV and XLSX."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from django.http import FileResponse, Http404, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.countries import COUNTRIES
from accounts.roles import Permission
from credits.period_statements import statement_of
from credits.spreadsheets import csv_of, write_xlsx
from credits.statement_files import COLUMNS, table_of
from credits.views.periods import chosen_period

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from credits.views.periods import ChosenPeriod

ROWS_SHOWN = 500
# An XLSX file is whole before any of it is sent; CSV goes line by line.
MOVEMENTS_AS_XLSX = 20_000


@require_safe
@requires(Permission.VIEW_CREDITS)
def period_statement(request: AccountRequest) -> HttpResponse:
    """Show a period: what there was, what moved, what there is, and its seal."""
    chosen = chosen_period(request)
    statement = statement_of(chosen.period, limit=ROWS_SHOWN)
    context = {
        "account": request.account,
        "country": COUNTRIES.get(request.account.country, ""),
        "chosen": chosen,
        "statement": statement,
        "is_over": chosen.period.ends_at <= chosen.at,
        "is_xlsx_offered": statement.count <= MOVEMENTS_AS_XLSX,
        "units": chosen.of.tabs,
        "unit_label": chosen.of.wallet.get_unit_display(),
        "zone": chosen.zone.key,
    }
    return render(request, "credits/period_statement.html", context)


@require_safe
@requires(Permission.VIEW_CREDITS)
def period_statement_csv(request: AccountRequest) -> StreamingHttpResponse:
    """Send all lines of the page of the same query."""
    chosen = chosen_period(request)
    return StreamingHttpResponse(
        csv_of(COLUMNS, table_of(chosen.period, zone=chosen.zone)),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{_file_name(chosen)}.csv"'
        },
    )


@require_safe
@requires(Permission.VIEW_CREDITS)
def period_statement_xlsx(request: AccountRequest) -> FileResponse:
    """Send the same as a spreadsheet, unless it is too long to be made at once."""
    chosen = chosen_period(request)
    if chosen.period.entries.count() > MOVEMENTS_AS_XLSX:
        raise Http404
    file = BytesIO()
    rows = table_of(chosen.period, zone=chosen.zone)
    write_xlsx(file, title=_("Statement"), columns=COLUMNS, rows=rows)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{_file_name(chosen)}.xlsx")


def _file_name(chosen: ChosenPeriod) -> str:
    first, last = chosen.days
    what = f"{chosen.of.unit.lower()}-statement" if chosen.of.unit else "statement"
    return f"{what}-{first:%Y-%m-%d}-{last:%Y-%m-%d}"
