"""Tables as CSV and XLSX, safe to open in a spreadsheet.

Money comes in whole cents and is shown as a number with two decimals; instants are UTC.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, auto
from itertools import chain, islice
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

from xlsxwriter import Workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Cell = str | int
Value = str | int | date | datetime | None

# What makes a spreadsheet take a cell for a formula (ASVS 1.2.10).
FORMULA_MARKS = frozenset("=+-@\t\r\0")

# What a sheet of Excel holds: rows below its header, and characters in a cell.
SHEET_ROWS = 1_048_575
_CELL_CHARACTERS = 32_767

_LINES_A_PIECE = 100


class ColumnKind(Enum):
    """What a column holds, and so how its cells are written."""

    TEXT = auto()
    NUMBER = auto()
    CENTS = auto()
    INSTANT = auto()
    DAY = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, and what is in it."""

    name: str
    kind: ColumnKind = ColumnKind.TEXT

    @property
    def heading(self) -> str:
        """Return what stands above it."""
        return f"{self.name} (UTC)" if self.kind == ColumnKind.INSTANT else self.name


class _Line:
    """What the csv module writes to: it hands each line on at once."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield a table, lines at a time; text that looks like a formula stays text."""
    writer = csv.writer(_Line())
    lines = (
        writer.writerow(
            [_harmless(cell) if isinstance(cell, str) else cell for cell in row]
        )
        for row in chain([header], rows)
    )
    # Each piece of an answer passes through all middleware, which takes longer than
    # to write a line.
    while piece := "".join(islice(lines, _LINES_A_PIECE)):
        yield piece


def csv_of(columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Yield the table that `write_xlsx` writes, line by line, as CSV."""
    writer = csv.writer(_Line())
    yield writer.writerow([column.heading for column in columns])
    for row in rows:
        yield writer.writerow([*map(_csv_cell, columns, row)])


def write_xlsx(
    target: IO[bytes],
    *,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
) -> None:
    """Write a table as an XLSX file, in the same memory however long it is.

    What does not fit on one sheet goes on, under the same header, on the next one.
    """
    # Not to be left behind by who stops half-way, so in a directory of its own.
    with TemporaryDirectory() as directory:
        workbook = Workbook(
            target,
            {
                "constant_memory": True,
                "tmpdir": directory,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "remove_timezone": True,
            },
        )
        try:
            _write_sheets(workbook, title, columns, iter(rows))
            workbook.close()
        finally:
            for sheet in workbook.worksheets():
                sheet._opt_close()


def _write_sheets(
    workbook: Workbook,
    title: str,
    columns: Sequence[Column],
    rows: Iterator[Sequence[Value]],
) -> None:
    heading = workbook.add_format({"bold": True, "bottom": 1})
    formats = [_format_of(workbook, column.kind) for column in columns]
    first: Sequence[Value] | None = next(rows, None)
    number = 1
    while first is not None or number == 1:
        sheet = workbook.add_worksheet(title if number == 1 else f"{title} {number}")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, 20)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.heading, heading)
        if first is not None:
            of_sheet = islice(chain([first], rows), SHEET_ROWS)
            _write_rows(sheet, columns, formats, of_sheet)
        first, number = next(rows, None), number + 1


def _write_rows(
    sheet: Worksheet,
    columns: Sequence[Column],
    formats: Sequence[Format],
    rows: Iterable[Sequence[Value]],
) -> None:
    places = [*zip(range(len(columns)), columns, formats, strict=True)]
    for line, row in enumerate(rows, start=1):
        for (place, column, form), value in zip(places, row, strict=True):
            _write_cell(sheet, (line, place), column, value, form)


def _write_cell(
    sheet: Worksheet,
    place: tuple[int, int],
    column: Column,
    value: Value,
    form: Format,
) -> None:
    match value:
        case str():
            # Excel takes a file with a longer cell for a broken one.
            text = _harmless(value)[:_CELL_CHARACTERS]
            sheet.write_string(*place, text, form)
        case datetime():
            sheet.write_datetime(*place, value.astimezone(UTC), form)
        case date():
            sheet.write_datetime(*place, value, form)
        case int():
            number = _money(value) if column.kind == ColumnKind.CENTS else value
            sheet.write_number(*place, number, form)


def _format_of(workbook: Workbook, kind: ColumnKind) -> Format:
    return workbook.add_format({"num_format": _NUMBER_FORMATS[kind]})


_NUMBER_FORMATS = {
    ColumnKind.TEXT: "@",
    ColumnKind.NUMBER: "#,##0",
    ColumnKind.CENTS: "#,##0.00",
    ColumnKind.INSTANT: "yyyy-mm-dd hh:mm:ss",
    ColumnKind.DAY: "yyyy-mm-dd",
}


def _csv_cell(column: Column, value: Value) -> Cell:
    match value:
        case None:
            return ""
        case str():
            return _harmless(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case date():
            return value.isoformat()
        case int():
            return str(_money(value)) if column.kind == ColumnKind.CENTS else value


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in FORMULA_MARKS else text
