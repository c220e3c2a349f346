"""`make run`: the whole of Purser on one machine, until Ctrl-C.

What the others need runs as children of this process; web, worker and beat run side
by side under honcho. Nothing outlives this process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from shutil import rmtree
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.request import urlopen

import environ

from config import beside, children
from config.crew import Crew
from config.demo.people import introduction
from config.embedded import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASE = Path(__file__).resolve().parent.parent
_VAR = _BASE / "var"
_WEBHOOK_SECRET = _VAR / "stripe_webhook_secret"
_ANSWERS_WITHIN_S = 60
# One worker has no neighbors to talk to.
_ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class CannotRun(Exception):
    """Something on this machine stands in the way; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Run until a signal, or until a part ends; return the exit status.

    With `--forget` throw away what runs have stored instead.
    """
    _leave_on_signals()
    environ.Env.read_env(os.environ.get("ENV_FILE", str(_BASE / ".env")))
    try:
        return _forget() if arguments == ["--forget"] else _run()
    except (CannotRun, RuntimeError) as obstacle:
        sys.stderr.write(f"Purser cannot run: {obstacle}\n")
    except BrokenPipeError:
        # Nobody reads any more. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _forget() -> int:
    if _VAR.exists():
        with _only_run():
            rmtree(_VAR)
    return 0


def _run() -> int:
    started_at = monotonic()
    with ExitStack() as stack:
        environment = _prepare(stack)
        stack.enter_context(beside.told(environment))
        Thread(target=_announce, args=[environment, started_at], daemon=True).start()
        return _run_crew(environment)


def _prepare(stack: ExitStack) -> dict[str, str]:
    """Start what the portal needs; return the environment that leads to it."""
    if os.environ.get("ENVIRONMENT", "development") != "development":
        raise CannotRun(
            "`make run` is for development, and ENVIRONMENT says otherwise."
            " docs/runbooks.md tells how to run it in production."
        )
    _VAR.mkdir(exist_ok=True)
    stack.enter_context(_only_run())
    web_port = _free_port("WEB_PORT", 8000)
    environment = {
        "BASE_URL": f"http://127.0.0.1:{web_port}",
        "LOG_LEVEL": "WARNING",
        **os.environ,
        "ENVIRONMENT": "development",
        "WEB_PORT": str(web_port),
    }
    if not any(map(environment.get, ("STRIPE_SECRET_KEY", "STRIPE_API_BASE"))):
        port = _free_port("STRIPE_SANDBOX_PORT", 12111)
        environment["STRIPE_API_BASE"] = stack.enter_context(_sandbox(port))
    embedded = servers(
        _VAR,
        durable=True,
        postgres=not environment.get("DATABASE_URL"),
        valkey=not environment.get("REDIS_URL"),
    )
    environment |= stack.enter_context(embedded).as_environment()
    _set_up(environment)
    if _WEBHOOK_SECRET.exists():
        environment.setdefault("STRIPE_WEBHOOK_SECRETS", _WEBHOOK_SECRET.read_text())
    return environment


@contextmanager
def _only_run() -> Iterator[None]:
    # Two runs would share var/, and each would think that it owns the servers there.
    with (_VAR / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            message = f"it already runs from this folder, as process {holder}."
            raise CannotRun(message) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _free_port(variable: str, default: int) -> int:
    port = int(os.environ.get(variable, default))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotRun(
                f"port {port} of 127.0.0.1 cannot be used ({error.strerror})."
                f" Stop the program that has it, or choose another port:"
                f" make run {variable}={port + 1}"
            ) from None
    return port


@contextmanager
def _sandbox(port: int) -> Iterator[str]:
    address = f"http://127.0.0.1:{port}"
    log = _VAR / "stripe_sandbox.log"
    data = str(_VAR / "stripe_sandbox.sqlite3")
    command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
    process = children.start([*command, "--data", data], log=log, directory=str(_BASE))
    try:
        readiness = children.Readiness(partial(_get, f"{address}/livez"), OSError)
        children.await_answer(process, readiness, log=log)
        yield address
    finally:
        children.stop(process)


def _set_up(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "set_up", "--demo"]
    if "STRIPE_SECRET_KEY" not in environment:
        # Stripe's own servers could not reach an address of this machine.
        hook = f"{environment['BASE_URL']}/webhooks/stripe/"
        secret_file = str(_WEBHOOK_SECRET)
        command += ["--webhook-url", hook, "--webhook-secret-file", secret_file]
    end_with_this = partial(children.end_with_parent, signal.SIGTERM)
    finished = subprocess.run(  # noqa: S603
        command,
        cwd=_BASE,
        env=environment,
        check=False,
        preexec_fn=end_with_this,
    )
    if finished.returncode:
        raise CannotRun("its set-up failed, as told above.")


def _run_crew(environment: dict[str, str]) -> int:
    granian = (
        *("granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads"),
        *("4", "--host", "127.0.0.1", "--port", environment["WEB_PORT"]),
        *("--log-level", "warning", "config.wsgi:application"),
    )
    celery = ("celery", "--quiet", "-A", "config.celery")
    worker = (*celery, "worker", "--pool", "threads", "--concurrency", "4", *_ALONE)
    beat = (*celery, "beat")
    # Celery warns of root; here root is whoever tries Purser in a container.
    quiet = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    crew = Crew()
    for name, module in {"web": granian, "worker": worker, "beat": beat}.items():
        line = "exec " + shlex.join([sys.executable, "-m", *module])
        crew.add_process(name, line, env=environment | quiet, cwd=str(_BASE))
    crew.loop()
    # To be asked to end is no failure.
    return 0 if crew.returncode in (130, 143) else int(crew.returncode or 0)


def _announce(environment: dict[str, str], started_at: float) -> None:
    web = environment["BASE_URL"]
    deadline = monotonic() + _ANSWERS_WITHIN_S
    while monotonic() < deadline:
        try:
            _get(f"http://127.0.0.1:{environment['WEB_PORT']}/livez")
        except OSError:
            sleep(0.1)
        else:
            seconds = f"{monotonic() - started_at:.1f}"
            sys.stdout.write(
                introduction(
                    web=web, sandbox=environment.get("STRIPE_API_BASE"), after_s=seconds
                )
            )
            sys.stdout.flush()
            return


def _get(url: str) -> None:
    with urlopen(url, timeout=5) as answer:  # noqa: S310
        answer.read()


def _leave_on_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    # A terminal that was closed: like SIGTERM, which honcho knows.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    if "MAKELEVEL" in os.environ:
        children.end_with_parent(signal.SIGTERM)


def _leave(number: int, _frame: object) -> None:
    # Once is enough: a second Ctrl-C may not interrupt the tidying up.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
