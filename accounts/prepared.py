"""Queries of the hot paths: written down, and prepared once for each connection.

They go through libpq itself. A cursor of psycopg finds out anew each time what it was
told the last time, which took longer than to send a query and to read the answer.
"""

from __future__ import annotations

from collections import namedtuple
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Cursor, OperationalError
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import Model
    from psycopg import Connection
    from psycopg.abc import Buffer
    from psycopg.pq.abc import PGresult

M = TypeVar("M", bound="Model")


def fetch(
    query: str,
    parameters: Sequence[Any],
    *,
    make_row: Callable[[Sequence[Any]], Any] | None = None,
) -> list[Any]:
    """Run a query and return its rows, as named tuples where nothing else is said.

    The server infers the types of parameters: where it cannot, the query has casts.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.queries_logged:  # tests count them
            connection.queries_log.append({"sql": query, "time": "0"})
        return _prepared_by(connection.connection).run(query, parameters, make_row)


def _prepared_by(connection: Connection) -> Prepared:
    kept: dict[str, Any] = vars(connection)  # what is prepared ends with it
    if "prepared_for_hot_paths" not in kept:
        kept["prepared_for_hot_paths"] = Prepared(connection)
    prepared: Prepared = kept["prepared_for_hot_paths"]
    return prepared


class _InstantLoader(Loader):
    """Reads instants twenty times as fast as Django's own, which is in Python."""

    def load(self, data: Buffer) -> datetime:
        """Return an instant; the server writes it in UTC."""
        return datetime.fromisoformat(str(data, "ascii"))


class Prepared:
    """The statements that one connection has prepared."""

    def __init__(self, connection: Connection) -> None:
        """Begin with none."""
        self.connection = connection
        self._server = connection.pgconn
        context = Cursor(connection)
        context.adapters.register_loader("timestamptz", _InstantLoader)
        self._adapting = Transformer(context)
        self._names: dict[str, bytes] = {}

    def run(
        self,
        query: str,
        parameters: Sequence[Any],
        make_row: Callable[[Sequence[Any]], Any] | None,
    ) -> list[Any]:
        """Run a query, prepared now if it was not before, and return its rows."""
        self._begin()
        if query not in self._names:
            self._prepare(query)
        as_text = [PyFormat.TEXT] * len(parameters)
        values = self._adapting.dump_sequence(parameters, as_text)
        result = self._server.exec_prepared(
            self._names[query], cast("Sequence[bytes]", values)
        )
        self._check(result, ExecStatus.TUPLES_OK)
        self._adapting.set_pgresult(result)
        make_row = make_row or _named(*map(result.fname, range(result.nfields)))
        return self._adapting.load_rows(0, result.ntuples, make_row)

    def _begin(self) -> None:
        # psycopg begins a transaction with the first statement that it is asked for.
        is_idle = self._server.transaction_status == TransactionStatus.IDLE
        if is_idle and not self.connection.autocommit:
            self.connection.execute(b"")

    def _prepare(self, query: str) -> None:
        first, *others = query.split("%s")
        numbered = "".join(f"${n}{part}" for n, part in enumerate(others, start=1))
        name = f"hot_path_{len(self._names)}".encode()
        prepared = self._server.prepare(name, (first + numbered).encode())
        self._check(prepared, ExecStatus.COMMAND_OK)
        self._names[query] = name

    def _check(self, result: PGresult, expected: ExecStatus) -> None:
        if result.status == expected:
            return
        if self._server.status == ConnStatus.BAD:
            raise OperationalError(result.get_error_message())
        raise error_from_result(result)


@cache
def _named(*columns: bytes) -> Callable[[Sequence[Any]], Any]:
    names = [column.decode() for column in columns]
    row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024
    make_row: Callable[[Sequence[Any]], Any] = row._make
    return make_row


@cache
def columns(model: type[Model], *names: str) -> str:
    """Return columns of a model, all or the named, for a query for `instance`."""
    table = model._meta.db_table
    return ", ".join(f"{table}.{name}" for name in _columns(model, *names))


def instance(model: type[M], row: Sequence[Any], *names: str) -> M:
    """Return the object that a row begins with; it reads other fields when asked."""
    attributes = _columns(model, *names)
    return model.from_db(DEFAULT_DB_ALIAS, attributes, row[: len(attributes)])


@cache
def _columns(model: type[Model], *names: str) -> list[str]:
    # In the order in which the model has them, as `from_db` wants; a column has the
    # name of its attribute here.
    fields = [field.attname for field in model._meta.concrete_fields]
    return [name for name in fields if not names or name in names]
