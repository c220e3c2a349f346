"""The ledger's SQL with a fault in it, for tests that must notice."""

from __future__ import annotations

from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connections

_SQL = settings.BASE_DIR / "credits" / "sql"


def text_of(file):
    return (_SQL / f"{file}.sql").read_text()


@contextmanager
def broken(file, old, new):
    """Load a file of the ledger with a fault, and the whole one again afterwards."""
    whole = text_of(file)
    assert old in whole
    # Not through Django: most tests may not use the owner's login, and roll back.
    login = connections["owner"].get_connection_params()
    with psycopg.connect(**login, autocommit=True) as owner:
        owner.execute(whole.replace(old, new))
        _look_again()
        try:
            yield
        finally:
            owner.execute(whole)


def _look_again():
    """Within a transaction a session hears of it when next it locks another table."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT FROM pg_proc LIMIT 0")
