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

M = TypeVar("M", bound="Model")


def fetch(query: str, parameters: Sequence[Any]) -> list[Any]:
    """Run a query and return its rows as named tuples."""
    # Past Django's cursor: it sends values inside the text, so that the server would
    # parse and plan the query anew each time.
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection, row_factory=namedtuple_row) as cursor,
    ):
        cursor.execute(query.encode(), parameters, prepare=True)
        if connection.queries_logged:  # tests count them
            connection.queries_log.append({"sql": query, "time": "0"})
        return cursor.fetchall()


@cache
def columns(model: type[Model]) -> str:
    """Return the columns of a model, for a query whose rows `instance` reads."""
    table = model._meta.db_table
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


def instance(model: type[M], row: Sequence[Any]) -> M:
    """Return the object that a row begins with."""
    names = _attributes(model)
    return model.from_db(connection.alias, names, row[: len(names)])


@cache
def _attributes(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
