"""A pytest plugin that gives the run its own PostgreSQL and Valkey.

Loaded before Django's settings are read; workers of a parallel run inherit the
addresses. Servers named by the environment are used as they are.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from config.embedded import OWNER, servers

_stack = contextlib.ExitStack()


def pytest_configure():
    """Nothing: the servers are up by now; this marks the module as a plugin."""


def pytest_unconfigure():
    _stack.close()


def _start() -> None:
    if os.environ.get("DATABASE_URL"):
        return
    directory = _stack.enter_context(
        tempfile.TemporaryDirectory(prefix="purser-tests-", ignore_cleanup_errors=True)
    )
    urls = _stack.enter_context(servers(Path(directory), durable=False))
    os.environ.update(urls.as_environment())
    _let_owner_empty_tables(urls.database_owner)


def _let_owner_empty_tables(url: str) -> None:
    # As on a replica, no trigger refuses it: see tests/conftest.py.
    sockets = urlsplit(url).path.rpartition("/")[0]
    with psycopg.connect(host=sockets, user="postgres", dbname="postgres") as admin:
        admin.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}")


os.environ["ENVIRONMENT"] = "development"
_start()
