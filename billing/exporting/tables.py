"""What a table for export is: columns with the SQL of their cells, or a report's rows.

A period is half-open, and begins and ends with days of finance's time zone. Money is in
cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings

from credits.spreadsheets import FORMULA_MARKS, Column, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from billing.models import ExportFormat, ExportKind
    from credits.spreadsheets import Value

# A column, and the SQL of its cells.
Field = tuple[Column, str]

# Text of PostgreSQL has no NUL, and ascii('') is 0.
_MARKS = ", ".join(str(ord(mark)) for mark in sorted(FORMULA_MARKS) if mark != "\0")
# As credits.spreadsheets writes the same values.
_AS_CSV = {
    ColumnKind.TEXT: (
        f"CASE WHEN ascii({{0}}) IN ({_MARKS}) THEN '''' || {{0}} ELSE {{0}} END"
    ),
    ColumnKind.NUMBER: "{0}",
    ColumnKind.CENTS: "({0}) * 0.01",
    ColumnKind.INSTANT: (
        """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    ),
    ColumnKind.DAY: "to_char({0}, 'YYYY-MM-DD')",
}


def period(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the half-open period of whole days, as finance counts them."""
    zone = ZoneInfo(settings.FINANCE_TIME_ZONE)
    since, until = (
        datetime.combine(day, time.min, tzinfo=zone)
        for day in (first, last + timedelta(days=1))
    )
    return since, until


def days_of(since: datetime, until: datetime) -> tuple[date, date]:
    """Return the first and the last day of a period, as finance counts them."""
    zone = ZoneInfo(settings.FINANCE_TIME_ZONE)
    last = until - timedelta(microseconds=1)
    return since.astimezone(zone).date(), last.astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which table, as what, of which period, and of which account, if not of all."""

    kind: ExportKind
    format: ExportFormat
    since: datetime
    until: datetime
    account_id: int | None = None

    @property
    def parameters(self) -> dict[str, datetime | int | None]:
        """Return what the placeholders of a source stand for."""
        return {
            "since": self.since,
            "until": self.until,
            "account_id": self.account_id,
        }

    @property
    def file_name(self) -> str:
        """Return what the file is called by whoever fetches it: kind and days."""
        first, last = days_of(self.since, self.until)
        return f"{self.kind}-{first}-{last}.{self.format}".lower()


@dataclass(frozen=True, slots=True)
class SqlTable:
    """Rows of the database: streamed by COPY, never all in memory.

    `source` begins with FROM and may name `%(since)s`, `%(until)s`, `%(account_id)s`.
    """

    fields: tuple[Field, ...]
    source: str
    order: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return its columns."""
        return tuple(column for column, _ in self.fields)

    @property
    def count_query(self) -> str:
        """Return the SQL of how many rows it has."""
        return f"SELECT count(*) {self.source}"

    @property
    def query(self) -> str:
        """Return the SQL of its rows, in types that `credits.spreadsheets` takes."""
        return self._select([sql for _, sql in self.fields])

    @property
    def csv_query(self) -> str:
        """Return the SQL of its rows as they stand in a CSV file, safe to open."""
        return self._select(
            [_AS_CSV[column.kind].format(sql) for column, sql in self.fields]
        )

    def _select(self, cells: list[str]) -> str:
        # Nothing here comes from outside: what does is a parameter.
        return f"SELECT {', '.join(cells)} {self.source} ORDER BY {self.order}"


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows that a report computes: those that pages show too (R110)."""

    columns: tuple[Column, ...]
    rows: Callable[[Wanted], Iterable[Sequence[Value]]]


Table = SqlTable | ReportTable


def text(name: str, sql: str) -> Field:
    """Return a column of text, which may come from anybody."""
    return Column(name), sql


def number(name: str, sql: str) -> Field:
    """Return a column of whole numbers."""
    return Column(name, ColumnKind.NUMBER), sql


def money(name: str, sql: str) -> Field:
    """Return a column of money, whose SQL is in cents."""
    return Column(name, ColumnKind.CENTS), sql


def instant(name: str, sql: str) -> Field:
    """Return a column of instants."""
    return Column(name, ColumnKind.INSTANT), sql


# Whose a row is, where its source joins `account`.
ACCOUNT = (
    text("Account", "account.public_id"),
    text("Account name", "account.name"),
)


def where_wanted(instant: str) -> str:
    """Return the condition that a row's instant and `account` are what is wanted."""
    return f"""
    WHERE {instant} >= %(since)s AND {instant} < %(until)s
        AND (%(account_id)s::bigint IS NULL OR account.id = %(account_id)s::bigint)
"""
