"""Which event goes to which endpoint, when, and how often it is tried.

Delivery times are real time: moving the sandbox's clock must not hold up webhooks.
"""

from __future__ import annotations

import json
import random
import time

from stripe_sandbox.engine.store import Json, Store

RETRY_AFTER_S = (1, 5, 30, 120, 600, 3600, 10800)
_DELAY_S_MAX = 1.5
_DOUBLED_PERCENT = 15


class Outbox:
    """Queues deliveries; with `mess`, unordered and sometimes double as in reality."""

    def __init__(self, store: Store, *, mess: random.Random | None = None) -> None:
        self._store = store
        self._mess = mess

    def enqueue(self, event: Json) -> None:
        """Queue an event for every enabled endpoint that listens to its type."""
        for endpoint in self._store.find("webhook_endpoint", status="enabled"):
            if {"*", event["type"]} & set(endpoint["enabled_events"]):
                for delay_s in self._delays():
                    self._queue(event, endpoint, time.time() + delay_s)

    def _delays(self) -> list[float]:
        if self._mess is None:
            return [0.0]
        copies = 2 if self._mess.randrange(100) < _DOUBLED_PERCENT else 1
        return [self._mess.uniform(0, _DELAY_S_MAX) for _ in range(copies)]

    def _queue(self, event: Json, endpoint: Json, due_at: float) -> None:
        self._store.sql(
            "INSERT INTO deliveries (event_id, endpoint_id, due_at) VALUES (?, ?, ?)",
            event["id"],
            endpoint["id"],
            due_at,
        )


def payload_of(event: Json, *, api_version: str | None, pending: int) -> bytes:
    """Return the body of a delivery, exactly as it is signed and sent."""
    sent = event | {"pending_webhooks": pending}
    if api_version:
        sent["api_version"] = api_version
    return json.dumps(sent, indent=2).encode()


def pending_webhooks(store: Store, event_id: str) -> int:
    """Count the endpoints that have not yet taken an event."""
    [row] = store.sql(
        "SELECT count(DISTINCT endpoint_id) AS pending FROM deliveries"
        " WHERE event_id = ? AND state <> 'succeeded'",
        event_id,
    )
    return int(row["pending"])
