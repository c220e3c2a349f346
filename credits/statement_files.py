"""The provable statement of a period as a table, for CSV and XLSX.

It has what is sealed, so that whoever has the file can prove it, and beside that what
people read. docs/statement-proof.md says how; a change here is a change there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from credits.period_statements import CLOSING, OPENING, all_lines
from credits.spreadsheets import Column, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from credits.period_statements import Line, Movement, Period
    from credits.spreadsheets import Value

_READ = ("When", "What", "Paid from", "Who", "Reason")
_SEALED = ("Time", "Kind", "Used", "Drawn", "Reference")
_NUMBERS = ("Number", "Credits", "On hold", "Frozen", "Owed", "Balance")
COLUMNS = (
    *(Column(name) for name in _READ),
    *(Column(name, ColumnKind.NUMBER) for name in _NUMBERS),
    *(Column(name) for name in _SEALED),
    Column("SHA-256"),
)


def table_of(period: Period, *, zone: tzinfo) -> Iterator[tuple[Value, ...]]:
    """Yield the cells of each line; people read times in a zone."""
    for line, movement in all_lines(period):
        when = line.happened_at.astimezone(zone).isoformat(" ", "seconds")
        yield (when, *_read(line, movement), *_sealed(line), line.seal)


def _read(line: Line, movement: Movement | None) -> tuple[Value, ...]:
    if movement is None:
        titles = {OPENING: _("Opening balance"), CLOSING: _("Closing balance")}
        return (titles[line.kind], "", "", "")
    return (
        movement.row.description,
        "; ".join(grant.text for grant in movement.paid_from),
        movement.row.who,
        movement.row.reason,
    )


def _sealed(line: Line) -> tuple[Value, ...]:
    return (
        *(line.number, line.credits, line.held, line.frozen, line.debt, line.balance),
        *(line.happened, line.kind, line.used, line.drawn, _quoted(line.reference)),
    )


def _quoted(text: str) -> str:
    # A spreadsheet's guard against formulas begins with an apostrophe. As one that was
    # there gets another, whoever proves a file may take the first one away.
    return f"'{text}" if text.startswith("'") else text
