"""`python -m stripe_sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import threading
from pathlib import Path
from typing import TextIO

from stripe_sandbox.engine.courier import Courier, send_by_http
from stripe_sandbox.engine.store import ForeignFile
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.server import Server, is_loopback

_TICK_S = 1.0
_WORKERS_MESSY = 4


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    options = _parser().parse_args(arguments)
    if not is_loopback(options.host):
        return _refuse(f"{options.host} is not a loopback address: no one else may in.")
    try:
        server = Server(options.host, options.port)
    except OSError as error:
        return _refuse(
            f"Port {options.port} on {options.host} cannot be used: {error.strerror}."
            " Is another sandbox running? Choose another one with --port."
        )
    base_url = f"http://{options.host}:{server.server_port}"
    options.data.parent.mkdir(parents=True, exist_ok=True)
    mess = None if options.orderly else random.Random(options.seed)  # noqa: S311 - disorder
    try:
        server.sandbox = Sandbox(options.data, base_url=base_url, mess=mess)
    except ForeignFile as problem:
        return _refuse(str(problem))
    _start_courier(server.sandbox, orderly=options.orderly)
    _end_on_signals()
    _say(sys.stdout, f"Stripe sandbox ready: {base_url} ({_manner(options)})")
    server.serve_forever()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stripe_sandbox",
        description="A local stand-in for Stripe. No real money.",
    )
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--data", type=Path, required=True, help="the SQLite file")
    parser.add_argument(
        "--orderly",
        action="store_true",
        help="deliver webhooks in order and once; by default they come unordered and"
        " sometimes double, as they may from Stripe",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the disorder")
    return parser


def _refuse(reason: str) -> int:
    _say(sys.stderr, f"stripe_sandbox: {reason}")
    return 1


def _say(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _start_courier(sandbox: Sandbox, *, orderly: bool) -> None:
    courier = Courier(sandbox.store, send_by_http)
    workers = 1 if orderly else _WORKERS_MESSY
    threading.Thread(
        target=courier.run, kwargs={"workers": workers}, daemon=True
    ).start()
    threading.Thread(target=_tick, args=[sandbox], daemon=True).start()


def _tick(sandbox: Sandbox) -> None:
    """Let due work happen even when nobody asks, e.g. sessions expire."""
    pause = threading.Event()
    while not pause.wait(_TICK_S):
        sandbox.tick()


def _end_on_signals() -> None:
    # Every change is committed before it is answered, so there is nothing to tidy up.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))


def _manner(options: argparse.Namespace) -> str:
    return "orderly webhooks" if options.orderly else f"messy, seed {options.seed}"


if __name__ == "__main__":
    raise SystemExit(main())
