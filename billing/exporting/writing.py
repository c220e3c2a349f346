"""Writing a table: every row as it was at one instant, in the same memory however many.

CSV leaves PostgreSQL ready made, by COPY. XLSX takes the same rows, typed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from django.db import connection, transaction

from billing.exporting.registry import TABLES
from billing.exporting.tables import ReportTable
from billing.models import ExportFormat
from credits.spreadsheets import csv_of, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from billing.exporting.progress import Progress
    from billing.exporting.tables import SqlTable, Table, Wanted
    from credits.spreadsheets import Value

# Rows that are fetched and written together.
_ROWS = 1_000


def write(wanted: Wanted, target: IO[bytes], *, progress: Progress) -> None:
    """Write a table to a file that is open for writing; call it in no transaction.

    Raises:
        Stopped: somebody said so to `progress`; the file is of no use.
    """
    table = TABLES[wanted.kind]
    with _snapshot():
        if isinstance(table, ReportTable):
            _write_rows(wanted, table, table.rows(wanted), target, progress)
            return
        progress.total = _count(table, wanted)
        if wanted.format == ExportFormat.CSV:
            _copy(table, wanted, target, progress)
        else:
            _write_rows(wanted, table, _rows_of(table, wanted), target, progress)


@contextmanager
def _snapshot() -> Iterator[None]:
    # All of it is read as it was at the first statement, and nothing can be written.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _count(table: SqlTable, wanted: Wanted) -> int:
    with connection.cursor() as cursor:
        cursor.execute(table.count_query, wanted.parameters)
        [rows] = cursor.fetchone()
    return int(rows)


def _copy(
    table: SqlTable, wanted: Wanted, target: IO[bytes], progress: Progress
) -> None:
    [header] = csv_of(table.columns, [])
    target.write(header.replace("\r\n", "\n").encode())  # as COPY ends its lines
    with connection.cursor() as cursor:
        query = cursor.mogrify(table.csv_query, wanted.parameters)
        with cursor.copy(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)") as lines:
            for line in progress.counted(lines):
                target.write(line)


def _rows_of(table: SqlTable, wanted: Wanted) -> Iterator[Sequence[Value]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(table.query, wanted.parameters)
        while rows := cursor.fetchmany(_ROWS):
            yield from rows


def _write_rows(
    wanted: Wanted,
    table: Table,
    rows: Iterable[Sequence[Value]],
    target: IO[bytes],
    progress: Progress,
) -> None:
    counted = progress.counted(rows)
    if wanted.format == ExportFormat.XLSX:
        title = str(wanted.kind.label)
        write_xlsx(target, title=title, columns=table.columns, rows=counted)
        return
    for line in csv_of(table.columns, counted):
        target.write(line.encode())
