"""Queries of the hot paths: written down, and prepared once for each connection."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.db import connection
from psycopg.rows import namedtuple_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model
    from psycopg.rows import BaseRowFactory

M = TypeVar("M", bound="Model")


def fetch(
    query: str,
    parameters: Sequence[Any],
    *,
    row_factory: BaseRowFactory[Any] = namedtuple_row,
) -> list[Any]:
    """Run a query and return its rows, as named tuples where nothing else is said."""
    # Past Django's cursor: it sends values inside the text, so that the server would
    # parse and plan the query anew each time.
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection, row_factory=row_factory) as cursor,
    ):
        cursor.execute(query.encode(), parameters, prepare=True)
        if connection.queries_logged:  # tests count them
            connection.queries_log.append({"sql": query, "time": "0"})
        return cursor.fetchall()


@cache
def columns(model: type[Model], *names: str) -> str:
    """Return columns of a model, all or the named, for a query for `instance`."""
    table = model._meta.db_table
    return ", ".join(f"{table}.{name}" for name in _columns(model, *names))


def instance(model: type[M], row: Sequence[Any], *names: str) -> M:
    """Return the object that a row begins with; it reads other fields when asked."""
    attributes = _columns(model, *names)
    return model.from_db(connection.alias, attributes, row[: len(attributes)])


@cache
def _columns(model: type[Model], *names: str) -> list[str]:
    # In the order in which the model has them, as `from_db` wants; a column has the
    # name of its attribute here.
    fields = [field.attname for field in model._meta.concrete_fields]
    return [name for name in fields if not names or name in names]
