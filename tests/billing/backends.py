"""The product's backend as tests need it: it hears what is sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from billing.models import Delivery
from billing.outgoing import facts, sending
from tests.conftest import NOW
from tests.factories import make_account

REAL = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Backend:
    """The product's backend: hears, and answers as the test says."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.heard.append((dict(self.headers.items()), body))
                status = outer.statuses.pop(0) if outer.statuses else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks?from=purser"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self) -> list[dict]:
        return [json.loads(body) for _, body in self.heard]


def send_all(at=NOW) -> int:
    sent = 0
    while sending.send_next(at=at, signed_at=REAL):
        sent += 1
    return sent


def happen(key: str = "1") -> Delivery:
    """Let something be told."""
    facts.tell_reload_failed(
        make_account(), reload_id=int(key), reason="expired_card", at=NOW
    )
    return Delivery.objects.order_by("-pk").first()


def verify(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver does it, by the specification alone."""
    key = b64decode(secret.split("_", 1)[1])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(
        version == "v1" and hmac.compare_digest(value, expected)
        for version, value in given
    )
