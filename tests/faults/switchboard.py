"""Where a process may fall over: around each commit and each request to Stripe.

Only a process that is made to die puts it in; the portal itself has no hooks.
"""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import stripe
from psycopg.pq import TransactionStatus

from accounts.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable

KILLED = 137
_READS = ("SELECT", "SET", "SHOW", "SAVEPOINT", "RELEASE", "ROLLBACK")
# A SELECT that writes all the same: it calls a function of the portal's.
_CALLS = re.compile(r"\b(LEDGER|BILLING)_\w+\(")


class Switchboard:
    """Counts the points that a process passes, and ends it at one of them."""

    def __init__(self, *, ends_at: int, tell: Callable[[str], None]) -> None:
        self._ends_at = ends_at
        self._tell = tell
        self._passed = 0

    def around(self, name: str, step: Callable[[], Any]) -> Any:
        """Take a step between two points."""
        self._pass_point(f"before {name}")
        outcome = step()
        self._pass_point(f"after {name}")
        return outcome

    def put_in(self) -> stripe.HTTPClient:
        """Stand around this process's commits; return the way to Stripe."""
        _stand_around_commits(self)
        return _WatchedClient(self)

    def _pass_point(self, name: str) -> None:
        self._passed += 1
        if self._passed == self._ends_at:
            self._tell(f"{self._passed}: {name}")
            os._exit(KILLED)


class _WatchedClient(stripe.RequestsClient):
    def __init__(self, switchboard: Switchboard) -> None:
        super().__init__(timeout=15)
        self._switchboard = switchboard

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        def ask() -> Any:
            return super(_WatchedClient, self).request(method, url, *args, **kwargs)

        path = url.partition("/v1/")[2].partition("?")[0]
        return self._switchboard.around(f"{method.upper()} {path}", ask)


def _stand_around_commits(switchboard: Switchboard) -> None:
    commit, execute = psycopg.Connection.commit, psycopg.Cursor.execute
    run = Prepared.run

    def watched_commit(self: psycopg.Connection[Any]) -> None:
        if self.info.transaction_status is TransactionStatus.IDLE:
            commit(self)
        else:
            switchboard.around("commit", lambda: commit(self))

    def watched(connection: psycopg.Connection[Any], query: object, step: Any) -> Any:
        if not _commits_itself(connection, query):
            return step()
        return switchboard.around(" ".join(_text(query).split()[:3]), step)

    def watched_execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        step = partial(execute, self, query, *args, **kwargs)
        return watched(self.connection, query, step)

    def watched_run(self: Any, query: str, *args: Any) -> Any:
        return watched(self.connection, query, partial(run, self, query, *args))

    psycopg.Connection.commit = watched_commit
    psycopg.Cursor.execute = watched_execute
    Prepared.run = watched_run  # which asks without a cursor


def _commits_itself(connection: psycopg.Connection[Any], query: object) -> bool:
    is_idle = connection.info.transaction_status is TransactionStatus.IDLE
    if not (connection.autocommit and is_idle):
        return False
    text = _text(query).strip().upper()
    return not text.startswith(_READS) or bool(_CALLS.search(text))


def _text(query: object) -> str:
    return query.decode() if isinstance(query, bytes) else str(query)
