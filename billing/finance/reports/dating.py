"""When a row counts: by its accounting instant, so that closed months stay (R93)."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from billing.finance import months

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    Row = Any  # its attributes are the columns of the query
    Values = Mapping[str, str | int | datetime | list[str] | None]

# What statements have answered within `reading`, by their text and values.
_answers: ContextVar[dict[tuple[str, str], list[Row]]] = ContextVar("answers")


def before(name: str) -> str:
    """Return SQL for: this row counts before the instant that is bound to `name`."""
    return (
        f"(occurred_at < %({name})s AND (%({name}_known)s::timestamptz IS NULL"
        f" OR recorded_at < %({name}_known)s))"
    )


def instant() -> str:
    """Return SQL for a row's accounting instant."""
    late = months.accounting_instant_sql("occurred_at", "recorded_at")
    # Who is recorded when it happens is in no closed month: few rows need a look.
    return f"CASE WHEN recorded_at <= occurred_at THEN occurred_at ELSE {late} END"


def bounds(**instants: datetime) -> dict[str, datetime | None]:
    """Return what `before` needs of each instant, by its name."""
    known = {
        f"{name}_known": months.recorded_before(at) for name, at in instants.items()
    }
    return {**instants, **known}


@contextmanager
def reading() -> Iterator[None]:
    """Let reports see one instant, and ask for nothing twice. Also a decorator."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        # Within a caller's transaction it is too late to choose a snapshot.
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        token = _answers.set({})
        try:
            yield
        finally:
            _answers.reset(token)


def rows(statement: str, values: Values) -> list[Row]:
    """Run one statement of a report; return its rows, with their columns by name."""
    answers, question = _answers.get({}), (statement, repr(values))
    if question not in answers:
        answers[question] = _answer(statement, values)
    return answers[question]


def _answer(statement: str, values: Values) -> list[Row]:
    with transaction.atomic(), connection.cursor() as cursor:
        # A whole ledger is added up: in memory, not by sorting on disk.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description]
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor]
