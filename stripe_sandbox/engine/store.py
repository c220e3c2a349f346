"""Objects as JSON rows in one SQLite file, used by one process.

One connection and one lock: requests are short, and a request that runs alone is
atomic without further thought.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    notes TEXT NOT NULL
);
CREATE INDEX objects_of_kind ON objects (kind, seq);
CREATE INDEX objects_of_customer ON objects (json_extract(body, '$.customer'), kind);
CREATE INDEX objects_of_invoice ON objects (json_extract(body, '$.invoice'), kind);
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    form TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'pending',
    answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_of_event ON deliveries (event_id);
CREATE TABLE agenda (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    task TEXT NOT NULL,
    object_id TEXT NOT NULL,
    test_clock TEXT
);
CREATE INDEX agenda_due ON agenda (test_clock, due_at, id);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

Json = dict[str, Any]


class ForeignFile(Exception):
    """The file holds something else than this version of the sandbox writes."""


class Store:
    """The sandbox's memory. All methods may be called from any thread."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._sqlite = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None
        )
        self._sqlite.row_factory = sqlite3.Row
        self._sqlite.execute("PRAGMA journal_mode = WAL")
        self._sqlite.execute("PRAGMA synchronous = NORMAL")
        self._prepare(path)

    def _prepare(self, path: str | Path) -> None:
        [found] = self.sql("PRAGMA user_version")[0]
        if found == _SCHEMA_VERSION:
            return
        if self.sql("SELECT 1 FROM sqlite_master"):
            self.close()
            raise ForeignFile(
                f"{path} was made by another version of the sandbox. Remove it to begin"
                " anew."
            )
        version = f"PRAGMA user_version = {_SCHEMA_VERSION};"
        self._sqlite.executescript(f"BEGIN;{_SCHEMA}{version}COMMIT;")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sqlite.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run alone, all or nothing. An inner one can fail without the outer one."""
        with self._lock:
            name = f"level_{self._depth}"
            self.sql(f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self.sql(f"ROLLBACK TO {name}")
                raise
            finally:
                self._depth -= 1
                self.sql(f"RELEASE {name}")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Run alone and forget everything that was written."""
        with self._lock:
            self.sql("SAVEPOINT rehearsal")
            try:
                yield
            finally:
                self.sql("ROLLBACK TO rehearsal")
                self.sql("RELEASE rehearsal")

    def sql(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        with self._lock:
            return self._sqlite.execute(statement, values).fetchall()

    def insert(self, body: Json, notes: Json) -> None:
        """Keep a new object; `notes` are the sandbox's own facts about it."""
        self.sql(
            "INSERT INTO objects (id, kind, body, notes) VALUES (?, ?, ?, ?)",
            body["id"],
            body["object"],
            json.dumps(body),
            json.dumps(notes),
        )

    def replace(self, body: Json) -> None:
        """Keep the new state of an object."""
        self.sql(
            "UPDATE objects SET body = ? WHERE id = ?", json.dumps(body), body["id"]
        )

    def put(self, body: Json) -> None:
        """Keep an object, new or not."""
        if self.get(body["id"]) is None:
            self.insert(body, {})
        else:
            self.replace(body)

    def get(self, object_id: str) -> Json | None:
        """Return an object by its id."""
        rows = self.sql("SELECT body FROM objects WHERE id = ?", object_id)
        return json.loads(rows[0]["body"]) if rows else None

    def notes(self, object_id: str) -> Json:
        """Return the sandbox's own facts about an object."""
        rows = self.sql("SELECT notes FROM objects WHERE id = ?", object_id)
        notes: Json = json.loads(rows[0]["notes"]) if rows else {}
        return notes

    def note(self, object_id: str, **facts: object) -> None:
        """Add facts to an object's notes."""
        self.sql(
            "UPDATE objects SET notes = json_patch(notes, ?) WHERE id = ?",
            json.dumps(facts),
            object_id,
        )

    def select(
        self, kind: str, conditions: list[str], values: list[object], *, tail: str
    ) -> list[Json]:
        """Return objects of a kind; conditions are SQL over `seq`, `body`, `notes`."""
        where = " AND ".join(["kind = ?", *conditions])
        rows = self.sql(
            f"SELECT body FROM objects WHERE {where} {tail}",  # noqa: S608
            kind,
            *values,
        )
        return [json.loads(row["body"]) for row in rows]

    def find(self, kind: str, **fields: object) -> list[Json]:
        """Return the objects whose top-level fields have these values, oldest first."""
        conditions = [f"json_extract(body, '$.{name}') = ?" for name in fields]
        return self.select(kind, conditions, list(fields.values()), tail="ORDER BY seq")

    def setting(self, name: str, default: str) -> str:
        """Return a stored setting."""
        rows = self.sql("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0]["value"]) if rows else default

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        self.sql("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)
