"""The real process, over sockets."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
import stripe

ROOT = Path(__file__).parents[2]
SECRET_KEY = "sk_test_process"


class Portal(ThreadingHTTPServer):
    """Refuses the first delivery and takes every further one."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        super().__init__(("127.0.0.1", 0), _PortalHandler)


class _PortalHandler(BaseHTTPRequestHandler):
    server: Portal

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((body, self.headers["Stripe-Signature"]))
        self.send_response(500 if len(self.server.received) == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    thread = threading.Thread(target=portal.serve_forever)
    thread.start()
    yield portal
    portal.shutdown()
    thread.join()
    portal.server_close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "stripe_sandbox", "--data",
             str(tmp_path / "stripe.sqlite"), *options],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().removeprefix("Stripe sandbox ready: ").split()[0]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 15 s"
        time.sleep(0.05)


class TestProcess:
    def test_delivers_signed_webhooks_and_tries_again(self, start, portal):
        process = start("--port", "0", "--orderly")
        client = stripe.StripeClient(
            SECRET_KEY, base_addresses={"api": address_of(process)}
        )
        endpoint = client.v1.webhook_endpoints.create(
            {
                "url": f"http://127.0.0.1:{portal.server_port}/webhooks/stripe/",
                "enabled_events": ["customer.created"],
                "api_version": "2026-10-28.endive",
            }
        )
        customer = client.v1.customers.create({"email": "a@b.example"})
        wait_for(lambda: len(portal.received) == 2)

        (first, _), (second, signature) = portal.received
        event = client.construct_event(second, signature, endpoint.secret)
        wait_for(lambda: client.v1.events.retrieve(event.id).pending_webhooks == 0)

        assert first == second
        assert event.data.object.id == customer.id

    def test_keeps_its_state_and_its_undelivered_webhooks(self, start, portal):
        first = start("--port", "0", "--orderly")
        client = stripe.StripeClient(
            SECRET_KEY, base_addresses={"api": address_of(first)}
        )
        client.v1.webhook_endpoints.create(
            {
                "url": f"http://127.0.0.1:{portal.server_port}/",
                "enabled_events": ["customer.created"],
            }
        )
        customer = client.v1.customers.create({})
        wait_for(lambda: len(portal.received) == 1)
        first.kill()
        first.wait()
        second = start("--port", "0", "--orderly")
        client = stripe.StripeClient(
            SECRET_KEY, base_addresses={"api": address_of(second)}
        )

        wait_for(lambda: len(portal.received) == 2)

        assert client.v1.customers.retrieve(customer.id).id == customer.id

    def test_lives_through_a_year_in_a_moment(self, start):
        address = address_of(start("--port", "0", "--orderly"))
        client = stripe.StripeClient(SECRET_KEY, base_addresses={"api": address})
        price = client.v1.prices.create(
            {
                "currency": "usd",
                "product_data": {"name": "Creator"},
                "recurring": {"interval": "month"},
                "unit_amount": 2900,
            }
        )
        customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
        [card] = client.v1.customers.payment_methods.list(customer.id).data
        subscription = client.v1.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": price.id}],
                "default_payment_method": card.id,
            }
        )

        order = urllib.request.Request(  # noqa: S310 - our own server
            f"{address}/_sandbox/clock",
            data=json.dumps({"offset_s": 366 * 86_400}).encode(),
        )
        with urlopen(order) as answer:  # noqa: S310 - our own server
            assert answer.status == 200

        invoices = client.v1.invoices.list({"subscription": subscription.id})
        assert [each.status for each in invoices.auto_paging_iter()] == ["paid"] * 13

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_at_once(self, start, number):
        process = start("--port", "0")
        address = address_of(process)
        with urlopen(f"{address}/livez") as answer:  # noqa: S310 - our own server
            assert answer.status == 200

        process.send_signal(number)

        assert process.wait(timeout=5) == 0

    def test_refuses_a_taken_port(self, start):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            _, said = start("--port", str(port)).communicate(timeout=30)

        assert f"Port {port} on 127.0.0.1 cannot be used" in said

    @pytest.mark.parametrize(
        "host",
        ["0.0.0.0", "192.0.2.1", "portal.example"],  # noqa: S104 - refused
    )
    def test_refuses_to_be_reached_from_outside(self, start, host):
        process = start("--host", host, "--port", "0")
        _, said = process.communicate(timeout=30)

        assert process.returncode == 1
        assert f"{host} is not a loopback address" in said

    def test_refuses_a_file_of_another_version(self, start, tmp_path):
        with closing(sqlite3.connect(tmp_path / "stripe.sqlite")) as other:
            other.execute("CREATE TABLE objects (id TEXT)")

        _, said = start("--port", "0").communicate(timeout=30)

        assert "was made by another version of the sandbox" in said
