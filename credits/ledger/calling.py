"""How the ledger's functions are called: one round trip, prepared once."""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import Any

import psycopg
from django.db import connection
from psycopg.rows import namedtuple_row


def call(query: str, parameters: list[Any]) -> list[Any]:
    """Run one call of a ledger function and return its rows as named tuples."""
    # Past Django's cursor: it sends values inside the text, so that the server would
    # parse and plan the call anew each time.
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection, row_factory=namedtuple_row) as cursor,
    ):
        cursor.execute(query.encode(), parameters, prepare=True)
        return cursor.fetchall()


def fingerprint(*asked: object) -> bytes:
    """Return a hash of what a caller asked for, to compare repeated keys by (R109)."""
    return sha256(dumps(asked, separators=(",", ":"), default=str).encode()).digest()
