"""The sandbox as an object: hand it requests, it hands back responses."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

from stripe_sandbox.api import Api
from stripe_sandbox.engine.agenda import next_due_at, work_off
from stripe_sandbox.engine.clock import Clock
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.faults import Faults
from stripe_sandbox.engine.outbox import Outbox
from stripe_sandbox.engine.store import Store
from stripe_sandbox.faults_over_http import faults_over_http
from stripe_sandbox.http_messages import Request, Response, json_response
from stripe_sandbox.pages.control_room import ControlRoom
from stripe_sandbox.pages.site import Site
from stripe_sandbox.retries_over_http import retries_over_http

DEFAULT_BASE_URL = "http://127.0.0.1:12111"


class Sandbox:
    """Stripe in one object. Every method may be called from any thread."""

    def __init__(
        self,
        path: str | Path,
        *,
        base_url: str = DEFAULT_BASE_URL,
        mess: random.Random | None = None,
    ) -> None:
        self.store = Store(path)
        self.clock = Clock(self.store)
        self.faults = Faults()
        self._base_url = base_url
        self._outbox = Outbox(self.store, mess=mess)
        self.api = Api(self.store, self.context, self.faults)
        control_room = ControlRoom(self.clock, self.faults)
        self._site = Site(self.store, self.context, control_room)

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def context(self) -> Context:
        """Return what a resource works with, at the present sandbox time."""
        return Context(self.store, self._outbox, self._base_url, self.clock.now())

    def tick(self) -> None:
        """Work off everything that is due by the sandbox's clock."""
        with self.store.transaction():
            work_off(self.context())

    def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Response:
        """Answer one HTTP request; `target` is the path with its query.

        Raises:
            ConnectionLost: a fault was ordered that leaves the client unanswered.
        """
        lowered = {name.lower(): value for name, value in headers.items()}
        request = Request(method.upper(), target, lowered, body)
        if request.path.startswith("/v1/"):
            return self.api.handle(request)
        if request.path == "/livez":
            return json_response(200, {"status": "ok"})
        if request.path == "/_sandbox/clock":
            return self._handle_clock(request)
        if request.path == "/_sandbox/faults":
            return faults_over_http(self.faults, request)
        if request.path == "/_sandbox/retries":
            return retries_over_http(self.store, request)
        return self._site.handle(request)

    def _handle_clock(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self._move_clock(json.loads(request.body))
            except (ValueError, KeyError, TypeError):
                wanted = (
                    'The body must be {"offset_s": <s>} or {"now": <Unix seconds>}.'
                )
                return json_response(400, {"error": wanted})
            self.tick()
        told = {
            "offset_s": self.clock.offset_s,
            "now": self.clock.now(),
            "next_due_at": next_due_at(self.store),
        }
        return json_response(200, told)

    def _move_clock(self, wanted: dict[str, int]) -> None:
        if "now" in wanted:
            self.clock.set_now(int(wanted["now"]))
        else:
            self.clock.set_offset(int(wanted["offset_s"]))
