"""Sends debits over HTTP as fast as they are answered: `python -m bench.http_load`.

One thread, connections kept alive, requests made ahead but for their key: cheap, for
it runs on the cores that it measures. Prints how many were accepted, and in how long.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import selectors
import socket
import time
from dataclasses import dataclass

_CREATED = b"HTTP/1.1 201"
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Connection:
    """One connection with one request under way."""

    socket: socket.socket
    received: bytes = b""

    def take_answer(self) -> bytes | None:
        """Return the whole answer, once all of it is there."""
        head, found, body = self.received.partition(_END_OF_HEAD)
        if not found:
            return None
        length = _LENGTH.search(head)
        if length is not None and len(body) < int(length[1]):
            return None
        answer, self.received = self.received, b""
        return answer


class Load:
    """Requests that differ in their key and their account."""

    def __init__(self, *, name: str, token: str, wallets: int) -> None:
        """Remember whose debits to send; `name` begins each key."""
        self._name, self._wallets, self._count = name, wallets, 0
        self._random = random.Random(name)  # noqa: S311 - the same load each time
        self._head = (
            "POST /api/v1/debits HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "X-Forwarded-Proto: https\r\nX-Forwarded-For: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        )

    def next(self) -> bytes:
        """Return a request that was never sent before."""
        self._count += 1
        account = f"acc_{self._random.randint(1, self._wallets):020d}"
        body = f'{{"account":"{account}","lines":[{{"feature":"look","quantity":1}}]}}'
        return (
            f"{self._head}Idempotency-Key: {self._name}-{self._count}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def run(load: Load, *, port: int, clients: int, seconds: float) -> tuple[int, float]:
    """Send until the time is up, then wait for what is under way.

    Returns how many were accepted within the seconds that it took.

    Raises:
        RuntimeError: an answer was not 201, or a connection was closed.
    """
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        connection = Connection(socket.create_connection(("127.0.0.1", port)))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.socket.sendall(load.next())
    accepted, started = 0, time.monotonic()
    waiting = clients
    while waiting:
        for key, _ in selector.select(timeout=30):
            connection = key.data
            connection.received += connection.socket.recv(65536)
            answer = connection.take_answer()
            if answer is None:
                continue
            if not answer.startswith(_CREATED):
                raise RuntimeError(answer.decode(errors="replace"))
            accepted += 1
            if time.monotonic() - started < seconds:
                connection.socket.sendall(load.next())
            else:
                waiting -= 1
    return accepted, time.monotonic() - started


def main() -> None:
    """Read the command line, send, and print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--wallets", type=int, required=True)
    asked = parser.parse_args()
    load = Load(name=asked.name, token=os.environ["TOKEN"], wallets=asked.wallets)
    accepted, took = run(
        load, port=asked.port, clients=asked.clients, seconds=asked.seconds
    )
    print(json.dumps({"accepted": accepted, "seconds": took}))


if __name__ == "__main__":
    main()
