"""A pytest plugin that gives the run its own PostgreSQL and Valkey.

Loaded before Django's settings are read; workers of a parallel run inherit the
addresses. Servers named by the environment are used as they are.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from config.embedded import servers

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


os.environ["ENVIRONMENT"] = "development"
_start()
