"""A file of adjustments as it arrives: CSV or XLSX, made of rows of text.

Nothing in it is trusted: not its size, its encoding, nor what its cells claim to be.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from billing.adjusting import AdjustmentRefused
from credits.spreadsheets import Column, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_ROWS = 10_000
MOST_BYTES = 5 * 1024 * 1024
_MOST_BYTES_UNPACKED = 20 * MOST_BYTES
COLUMNS = (
    Column("account"),
    Column("credits", ColumnKind.NUMBER),
    Column("last_day", ColumnKind.DAY),
    Column("reason"),
    Column("comment"),
    Column("ticket"),
    Column("customer_note"),
)
HEADINGS = tuple(column.name for column in COLUMNS)
_REQUIRED = ("account", "credits", "reason", "comment")
_FORMULA = "="
_XLSX = b"PK\x03\x04"


class FileRefused(AdjustmentRefused):
    """This is no file of adjustments, or too large a one."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its number in a spreadsheet, and its cells by their headings."""

    number: int
    cells: dict[str, str]


def read(content: bytes) -> tuple[RawRow, ...]:
    """Return the rows of a file, without empty ones.

    Raises:
        FileRefused: it is too large, has other columns, or cannot be read.
    """
    if len(content) > MOST_BYTES:
        raise FileRefused(_("The file is larger than 5 MB: split it."))
    lines = _sheet(content) if content.startswith(_XLSX) else _csv(content)
    numbered = enumerate(lines, start=1)
    headings = _headings(next(numbered, (0, []))[1])
    rows: list[RawRow] = []
    for number, line in numbered:
        if not any(line):
            continue
        if len(rows) == MOST_ROWS:
            raise FileRefused(_("The file has more than 10,000 rows: split it."))
        padded = [*line, *[""] * (len(headings) - len(line))]
        rows.append(RawRow(number, dict(zip(headings, padded, strict=False))))
    if not rows:
        raise FileRefused(_("The file has no rows: write one for each adjustment."))
    return tuple(rows)


def _headings(line: list[str]) -> list[str]:
    headings = [cell.lower() for cell in line]
    missing = [one for one in _REQUIRED if one not in headings]
    if missing:
        message = _("The first row must name the columns. It lacks: %(missing)s.")
        raise FileRefused(message % {"missing": ", ".join(missing)})
    unknown = [one for one in headings if one and one not in HEADINGS]
    if unknown or len(set(headings)) < len(headings):
        message = _(
            "The first row names columns that nobody knows, or one twice: %(all)s."
        )
        raise FileRefused(message % {"all": ", ".join(unknown or headings)})
    return headings


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = _("The text is not UTF-8. Save the file as “CSV UTF-8”, or as XLSX.")
        raise FileRefused(message) from error
    first = text.partition("\n")[0]
    # Where a comma is part of numbers, spreadsheets write semicolons.
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from (_cleaned(line) for line in reader)
    except csv.Error as error:
        raise FileRefused(
            _("The file cannot be read as CSV. Save it again, or as XLSX.")
        ) from error


def _sheet(content: bytes) -> Iterator[list[str]]:
    try:
        with ZipFile(BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > _MOST_BYTES_UNPACKED:
            raise FileRefused(_("The file is too large when it is unpacked: split it."))
        workbook = load_workbook(BytesIO(content), read_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise FileRefused(
            _("The file cannot be read as XLSX. Save it again, or as CSV.")
        ) from error
    try:
        for line in workbook.worksheets[0].iter_rows(values_only=True):
            yield _cleaned(_text(cell) for cell in line)
    finally:
        workbook.close()


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def _cleaned(line: Iterable[str]) -> list[str]:
    cells = [cell.strip().removeprefix("'") for cell in line]
    if any(cell.startswith(_FORMULA) or "\0" in cell for cell in cells):
        raise FileRefused(_("A cell is a formula. Paste the values instead."))
    return cells
