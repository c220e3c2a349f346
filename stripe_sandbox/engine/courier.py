"""Sends what is queued: signed anew at each attempt, retried with backoff."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from stripe import WebhookSignature

from stripe_sandbox.engine import deliveries
from stripe_sandbox.engine.outbox import (
    RETRY_AFTER_S,
    payload_of,
    pending_webhooks,
)
from stripe_sandbox.engine.store import Store

Send = Callable[[str, bytes, Mapping[str, str]], int]
_TIMEOUT_S = 10
_LEASE_S = 30
_IDLE_S = 0.1


def send_by_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POST and return the status. A redirect is not followed, so it is a failure."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.netloc, timeout=_TIMEOUT_S)
    try:
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("POST", path, body=body, headers=dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


class Courier:
    """Delivers due webhooks, either when asked or from its own threads."""

    def __init__(
        self,
        store: Store,
        send: Send,
        *,
        real_time: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._send = send
        self._real_time = real_time
        self._stop = threading.Event()

    def deliver_due(self) -> int:
        """Send everything that is due, one after the other; return how many."""
        sent = 0
        while due := self._claim(1):
            self._deliver(due[0])
            sent += 1
        return sent

    def run(self, *, workers: int) -> None:
        """Deliver until stopped. One worker keeps the order, several do not."""
        with ThreadPoolExecutor(workers, thread_name_prefix="courier") as pool:
            while not self._stop.is_set():
                # No more than is sent at once, so that no lease runs out in a queue.
                batch = self._claim(workers)
                list(pool.map(self._deliver, batch))
                if not batch:
                    self._stop.wait(_IDLE_S)

    def stop(self) -> None:
        """End `run` after the delivery in hand."""
        self._stop.set()

    def _claim(self, limit: int) -> list[sqlite3.Row]:
        if deliveries.are_held(self._store):
            return []
        # A lease, not a deletion: what a killed process had in hand is sent again.
        now = self._real_time()
        return self._store.sql(
            "UPDATE deliveries SET due_at = ?, attempts = attempts + 1 WHERE id IN"
            " (SELECT id FROM deliveries WHERE state = 'pending' AND due_at <= ?"
            "  ORDER BY due_at, id LIMIT ?) RETURNING *",
            now + _LEASE_S,
            now,
            limit,
        )

    def _deliver(self, delivery: sqlite3.Row) -> None:
        event = self._store.get(delivery["event_id"])
        endpoint = self._store.get(delivery["endpoint_id"])
        if event is None or endpoint is None or endpoint.get("deleted"):
            self._record(delivery, "dropped", "the endpoint was deleted")
            return
        pending = pending_webhooks(self._store, event["id"])
        body = payload_of(event, api_version=endpoint["api_version"], pending=pending)
        secret = self._store.notes(endpoint["id"])["secret"]
        self._attempt(delivery, endpoint["url"], body, secret)

    def _attempt(
        self, delivery: sqlite3.Row, url: str, body: bytes, secret: str
    ) -> None:
        try:
            status = self._send(url, body, signed_headers(body, secret))
        except (OSError, HTTPException) as failure:
            self._retry(delivery, f"{type(failure).__name__}: {failure}")
            return
        if 200 <= status < 300:
            self._record(delivery, "succeeded", f"HTTP {status}")
        else:
            self._retry(delivery, f"HTTP {status}")

    def _retry(self, delivery: sqlite3.Row, answer: str) -> None:
        if delivery["attempts"] > len(RETRY_AFTER_S):
            self._record(delivery, "failed", answer)
            return
        wait_s = RETRY_AFTER_S[delivery["attempts"] - 1]
        self._record(delivery, "pending", answer, due_at=self._real_time() + wait_s)

    def _record(
        self, delivery: sqlite3.Row, state: str, answer: str, due_at: float = 0
    ) -> None:
        self._store.sql(
            "UPDATE deliveries SET state = ?, answer = ?, due_at = ? WHERE id = ?",
            state,
            answer,
            due_at,
            delivery["id"],
        )


def signed_headers(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of a delivery, signed with the present real time."""
    signature = WebhookSignature.generate_signature_header(body.decode(), secret)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": str(signature),
    }
