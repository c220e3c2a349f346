"""The Stripe sandbox behind the real SDK, in this process: no socket, no mock.

    wire = StripeWire()
    client = stripe.StripeClient("sk_test_wire", http_client=wire.http_client)

Webhooks are not sent: the test takes events from the log and delivers them itself,
or hands over a `sender` and calls `wire.deliver()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe
from requests.structures import CaseInsensitiveDict

from stripe_sandbox.engine.courier import Courier, Send, signed_headers
from stripe_sandbox.engine.faults import ConnectionLost, Kind
from stripe_sandbox.engine.outbox import payload_of
from stripe_sandbox.http_messages import Response
from stripe_sandbox.sandbox import Sandbox

Json = dict[str, Any]
SECRET_KEY = "sk_test_wire"


class SandboxHTTPClient(stripe.HTTPClient):
    """The SDK's transport. Its retries are the real ones, but they do not wait."""

    name = "sandbox"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox
        self.requests: list[str] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        target = urlsplit(url)._replace(scheme="", netloc="").geturl()
        self.requests.append(f"{method.upper()} {urlsplit(url).path}")
        body = (post_data or "").encode()
        try:
            response = self._sandbox.handle(method, target, headers or {}, body)
        except ConnectionLost as lost:
            sentence = "Unexpected error communicating with Stripe."
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                sentence, should_retry=True
            ) from lost
        text = response.body.decode()
        return text, response.status, CaseInsensitiveDict(response.headers)

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0

    def close(self) -> None:
        """Nothing is open."""


class StripeWire:
    """A sandbox and what tests do to it."""

    def __init__(
        self, path: str | Path = ":memory:", *, sender: Send | None = None
    ) -> None:
        self.sandbox = Sandbox(path)
        self.http_client = SandboxHTTPClient(self.sandbox)
        self._courier = Courier(self.sandbox.store, sender or _no_sender)

    def client(self, **options: Any) -> stripe.StripeClient:
        """Return an SDK client of this sandbox."""
        return stripe.StripeClient(SECRET_KEY, http_client=self.http_client, **options)

    def at(self, moment: datetime) -> None:
        """Stop the sandbox's clock at a moment and do what is due by then."""
        self.sandbox.clock.freeze(int(moment.timestamp()))
        self.sandbox.tick()

    def pay(
        self,
        session_id: str,
        card: str = "4242424242424242",
        quantity: int | None = None,
        **typed: str,
    ) -> Response:
        """Fill in the hosted page and press Pay; 303 once paid, 402 when declined.

        A card that wants 3DS leads to the challenge: go on with `answer_challenge`.
        """
        form = {
            "action": "pay",
            "email": "buyer@example.com",
            "name": "Bea Buyer",
            "card_number": card,
            "expiry": "12 / 34",
            "cvc": "123",
        } | typed
        if quantity is not None:
            form |= {
                f"quantity-{item['id']}": str(quantity)
                for item in self._line_items(session_id)
            }
        return self._submit(f"/c/pay/{session_id}", form)

    def answer_challenge(self, session_id: str, *, approve: bool) -> Response:
        """Answer the 3DS challenge of a session."""
        answer = "approve" if approve else "fail"
        return self._submit(f"/c/pay/{session_id}/authenticate", {"answer": answer})

    def door(self, method: str, path: str, body: str) -> tuple[int, str]:
        """Answer what the time machine and buyers ask of the sandbox itself."""
        response = self.sandbox.handle(method, path, {}, body.encode())
        return response.status, response.body.decode()

    def pay_invoice(self, invoice_id: str, card: str = "4242424242424242") -> Response:
        """Fill in the hosted invoice page and press Pay; as `pay`."""
        form = {
            "action": "pay",
            "name": "Bea Buyer",
            "card_number": card,
            "expiry": "12 / 34",
            "cvc": "123",
        }
        return self._submit(f"/invoices/{invoice_id}", form)

    def events(self, type: str | None = None) -> list[Json]:  # noqa: A002
        """Return the event log, oldest first, of one type if it is named."""
        self.sandbox.tick()
        wanted = {"type": type} if type else {}
        return self.sandbox.store.find("event", **wanted)

    def signed(self, event: Json, secret: str) -> tuple[bytes, str]:
        """Return the body and the `Stripe-Signature` of a delivery of an event."""
        body = payload_of(event, api_version=None, pending=1)
        return body, signed_headers(body, secret)["Stripe-Signature"]

    def charges(self) -> list[Json]:
        """Return all charges, oldest first."""
        self.sandbox.tick()
        return self.sandbox.store.find("charge")

    def sessions(self) -> list[Json]:
        """Return all Checkout Sessions, oldest first."""
        self.sandbox.tick()
        return self.sandbox.store.find("checkout.session")

    def fail_next(self, kind: Kind, *, on: str = "", times: int = 1) -> None:
        """Let the next API requests that begin with `on` ("POST /v1/refunds") fail.

        The SDK retries by itself (twice by default), with the same idempotency key:
        for a failure that gets through, say `times=3` or use a client without retries.
        """
        self.sandbox.faults.order(kind, on=on, times=times)

    def deliver(self) -> int:
        """Send the queued webhooks through the `sender`; return how many."""
        self.sandbox.tick()
        return self._courier.deliver_due()

    def close(self) -> None:
        """Close the sandbox's file."""
        self.sandbox.close()

    def _line_items(self, session_id: str) -> list[Json]:
        listed = self.client().v1.checkout.sessions.line_items.list(session_id)
        return [item.to_dict() for item in listed.data]

    def _submit(self, path: str, form: dict[str, str]) -> Response:
        return self.sandbox.handle("POST", path, {}, urlencode(form).encode())


def _no_sender(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    raise AssertionError("This wire has no sender: deliver the events yourself.")
