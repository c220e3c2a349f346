"""Tables as a spreadsheet reads them: text stays text, and amounts are numbers."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta, timezone
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

from credits import spreadsheets
from credits.spreadsheets import Column, ColumnKind, csv_of, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openpyxl.workbook import Workbook

    from credits.spreadsheets import Value

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\ttab",
    "\rreturn",
    "\0null",
]
STRANGE = [
    'say "hi"',
    "one\ntwo",
    "a,b;c",
    "\u202eright to left",
    "👩‍🚀 ok",
    "http://x.y",
]
COLUMNS = [
    Column("Name"),
    Column("Credits", ColumnKind.NUMBER),
    Column("Price (USD)", ColumnKind.CENTS),
    Column("At", ColumnKind.INSTANT),
    Column("Day", ColumnKind.DAY),
]
AT = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
ROW = ["Ada", -250, -1_234_567, AT, date(2026, 3, 1)]


def workbook_of(rows: Iterable[list[Value]], columns: list[Column]) -> Workbook:
    target = BytesIO()
    write_xlsx(target, title="Ledger", columns=columns, rows=rows)
    return load_workbook(target)


def names_read(names: list[str]) -> list[str]:
    sheet = workbook_of([[name] for name in names], COLUMNS[:1])["Ledger"]
    return [cell.value for [cell] in sheet.iter_rows(min_row=2)]


class TestXlsx:
    def test_no_cell_is_a_formula(self) -> None:
        sheet = workbook_of([[name] for name in HOSTILE], COLUMNS[:1])["Ledger"]

        cells = [cell for [cell] in sheet.iter_rows()]
        assert {cell.data_type for cell in cells} == {"s"}
        assert all(str(cell.value).startswith("'") for cell in cells[1:])

    def test_text_comes_back_as_it_was(self) -> None:
        assert names_read(STRANGE) == STRANGE

    def test_amounts_are_numbers_and_instants_are_dates(self) -> None:
        [_, row] = workbook_of([ROW], COLUMNS)["Ledger"].iter_rows()

        assert [cell.value for cell in row] == [
            "Ada",
            -250,
            -12_345.67,
            datetime(2026, 2, 28, 22, 30),  # noqa: DTZ001  # a cell has no zone
            datetime(2026, 3, 1),  # noqa: DTZ001
        ]
        assert [cell.data_type for cell in row] == ["s", "n", "n", "d", "d"]
        assert row[2].number_format == "#,##0.00"

    def test_header_names_the_zone(self) -> None:
        [header] = workbook_of([], COLUMNS)["Ledger"].iter_rows(values_only=True)

        assert header == ("Name", "Credits", "Price (USD)", "At (UTC)", "Day")

    def test_what_is_empty_stays_empty(self) -> None:
        sheet = workbook_of([[None] * 5], COLUMNS)["Ledger"]

        assert sheet["A2"].value is None

    @pytest.mark.parametrize("cents", [0, 1, -1, 29, 10_000_000_000_001])
    def test_cents_are_exact(self, cents: int) -> None:
        columns = [Column("Price", ColumnKind.CENTS)]
        sheet = workbook_of([[cents]], columns)["Ledger"]

        assert round(sheet["A2"].value * 100) == cents

    @pytest.mark.parametrize(("rows", "sheets"), [(3, 1), (4, 2), (7, 3), (0, 1)])
    def test_rows_go_on_on_further_sheets(
        self, rows: int, sheets: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spreadsheets, "SHEET_ROWS", 3)

        workbook = workbook_of(([n] for n in range(rows)), COLUMNS[1:2])

        read = [sheet.iter_rows(values_only=True) for sheet in workbook.worksheets]
        assert len(read) == sheets
        assert [next(sheet) for sheet in read] == [("Credits",)] * sheets
        assert [row for sheet in read for row in sheet] == [(n,) for n in range(rows)]

    def test_what_stops_halfway_leaves_nothing_behind(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        with pytest.raises(ZeroDivisionError):
            workbook_of(([1 // (2 - n)] for n in range(9)), COLUMNS[1:2])

        assert [*tmp_path.iterdir()] == []


class TestCsv:
    def test_says_the_same_as_the_spreadsheet(self) -> None:
        lines = [*csv_of(COLUMNS, [ROW])]

        assert lines == [
            "Name,Credits,Price (USD),At (UTC),Day\r\n",
            "Ada,-250,-12345.67,2026-02-28T22:30:00Z,2026-03-01\r\n",
        ]

    @pytest.mark.parametrize("name", HOSTILE)
    def test_text_that_looks_like_a_formula_is_guarded(self, name: str) -> None:
        [_, [guarded]] = csv.reader(read_lines([[name]]))

        assert guarded == f"'{name}"

    @pytest.mark.parametrize("name", STRANGE)
    def test_other_text_comes_back_as_it_was(self, name: str) -> None:
        [_, [same]] = csv.reader(read_lines([[name]]))

        assert same == name

    def test_money_never_turns_into_a_power_of_ten(self) -> None:
        columns = [Column("Price", ColumnKind.CENTS)]

        [_, *lines] = csv_of(columns, [[0], [5], [-5], [10**15]])

        assert lines == ["0.00\r\n", "0.05\r\n", "-0.05\r\n", "10000000000000.00\r\n"]


def read_lines(rows: list[list[Value]]) -> Iterator[str]:
    return csv_of(COLUMNS[:1], rows)
