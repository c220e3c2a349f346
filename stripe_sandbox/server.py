"""The sandbox over HTTP: threads, keep-alive, loopback only."""

from __future__ import annotations

import ipaddress
import sys
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from stripe_sandbox.engine.faults import ConnectionLost
from stripe_sandbox.http_messages import Response
from stripe_sandbox.sandbox import Sandbox

_BODY_BYTES_MAX = 1_000_000


class Server(ThreadingHTTPServer):
    """Serves one sandbox."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, sandbox: Sandbox | None = None) -> None:
        if not is_loopback(host):
            raise ValueError(f"{host} is not a loopback address")
        super().__init__((host, port), _Handler)
        self.sandbox = sandbox


def is_loopback(host: str) -> bool:
    """Whether the host names this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stripe-sandbox"
    sys_version = ""
    # An answer is one write: without this, Nagle's algorithm would hold back its tail.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            self.close_connection = True
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        sandbox = cast("Server", self.server).sandbox
        assert sandbox is not None  # noqa: S101 - set before the first request
        try:
            response = sandbox.handle(
                self.command, self.path, dict(self.headers.items()), body
            )
        except ConnectionLost:
            self.close_connection = True
            return
        except Exception:  # noqa: BLE001 - one broken page must not end the others
            traceback.print_exc(file=sys.stderr)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self._write(response)

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: the index page shows what happened."""
