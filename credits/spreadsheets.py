"""Tables as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Cell = str | int

# What makes a spreadsheet take a cell for a formula.
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """What the csv module writes to: it hands each line on at once."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: list[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    """Yield a table line by line; text that looks like a formula stays text."""
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([_harmless(cell) for cell in row])


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(_FORMULA_MARKS):
        return f"'{cell}"
    return cell
