"""What a developer may do to deliveries: send again, delay, drop, reorder, hold."""

from __future__ import annotations

import sqlite3
import time

from stripe_sandbox.engine.store import Store

_HELD = "deliveries_held"
_DELAY_S = 60
_LATEST = """
SELECT d.*, json_extract(e.body, '$.type') AS type, json_extract(w.body, '$.url') AS url
FROM deliveries d
JOIN objects e ON e.id = d.event_id
JOIN objects w ON w.id = d.endpoint_id
ORDER BY d.id DESC LIMIT ?
"""


def latest(store: Store, limit: int) -> list[sqlite3.Row]:
    """Return the newest deliveries with the type of event and the URL."""
    return store.sql(_LATEST, limit)


def send_again(store: Store, delivery_id: int) -> None:
    """Queue the same event once more, now."""
    store.sql(
        "INSERT INTO deliveries (event_id, endpoint_id, due_at)"
        " SELECT event_id, endpoint_id, ? FROM deliveries WHERE id = ?",
        time.time(),
        delivery_id,
    )


def delay(store: Store, delivery_id: int) -> None:
    """Put a pending delivery off by a minute."""
    store.sql(
        "UPDATE deliveries SET due_at = max(due_at, ?) + ?"
        " WHERE id = ? AND state = 'pending'",
        time.time(),
        _DELAY_S,
        delivery_id,
    )


def drop(store: Store, delivery_id: int) -> None:
    """Never send a pending delivery; its event stays among the undelivered."""
    store.sql(
        "UPDATE deliveries SET state = 'dropped', answer = 'dropped by hand'"
        " WHERE id = ? AND state = 'pending'",
        delivery_id,
    )


def reverse(store: Store) -> None:
    """Send what is pending in the opposite order."""
    rows = store.sql(
        "SELECT id, due_at FROM deliveries WHERE state = 'pending' ORDER BY due_at, id"
    )
    now = time.time()
    for place, row in enumerate(rows[::-1]):
        # A microsecond apart: those that were due together have an order now.
        due_at = max(rows[place]["due_at"], now) + place / 1_000_000
        store.sql("UPDATE deliveries SET due_at = ? WHERE id = ?", due_at, row["id"])


def hold(store: Store, *, held: bool) -> None:
    """Stop sending, or go on: what is held can be reordered, delayed and dropped."""
    store.set_setting(_HELD, "yes" if held else "")


def are_held(store: Store) -> bool:
    """Whether nothing is sent for now."""
    return bool(store.setting(_HELD, ""))
