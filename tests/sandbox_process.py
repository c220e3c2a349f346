"""The Stripe sandbox as a process of its own, for tests that need real sockets."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from config import children

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where it answers and what it keeps."""

    url: str
    data: Path

    def pay(self, checkout_url: str, card: str = "4242424242424242") -> None:
        """Pay on the hosted page, as a buyer whose card works."""
        typed = {
            "action": "pay",
            "email": "buyer@example.com",
            "name": "Bea Buyer",
            "card_number": card,
            "expiry": "12 / 34",
            "cvc": "123",
        }
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=15)
        connection.request("POST", urlsplit(checkout_url).path, urlencode(typed), form)
        # The answer leads back to the portal, where nobody waits for this buyer.
        assert connection.getresponse().status == 303
        connection.close()


@contextmanager
def run_sandbox(directory: Path, *, messy: bool = False) -> Iterator[Sandbox]:
    """Run a new sandbox with its data in `directory` until the block ends."""
    port = free_port()
    sandbox = Sandbox(f"http://127.0.0.1:{port}", directory / "stripe.sqlite3")
    command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
    manner = [] if messy else ["--orderly"]
    log = directory / "stripe_sandbox.log"
    process = children.start(
        [*command, "--data", str(sandbox.data), *manner], log=log, directory=str(ROOT)
    )
    try:
        probe = children.Readiness(lambda: _answer(f"{sandbox.url}/livez"), OSError)
        children.await_answer(process, probe, log=log)
        yield sandbox
    finally:
        children.stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answer(url: str) -> None:
    with urlopen(url, timeout=5) as answer:  # noqa: S310
        answer.read()
