"""A process that forks one for each act, which plays a flow and may die within it.

`python -m tests.faults.stage` reads an act a line and answers with a line: how it
ended, and at which point. It has neither connections nor threads itself, so that a
fork is a whole process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.faults.switchboard import KILLED, Switchboard
from tests.sandbox_process import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Act:
    """What is played, when by the portal's clock, and the point where it ends."""

    flow: str
    given: dict[str, Any]
    at: str
    ends_at: int
    stripe_url: str


@dataclass(frozen=True, slots=True)
class Ending:
    """The status of the process, and the point at which it was killed, if it was."""

    status: int
    point: str

    @property
    def was_killed(self) -> bool:
        """Whether the point was there."""
        return self.status == KILLED


class Stage:
    """The process, as its director sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def play(self, act: Act) -> Ending:
        """Play an act to its end."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(json.dumps(asdict(act)) + "\n")
        stdin.flush()
        ending = Ending(**json.loads(stdout.readline()))
        assert ending.status in {0, KILLED}, "It failed by itself; see above."
        return ending


@contextmanager
def run_stage(environment: Mapping[str, str]) -> Iterator[Stage]:
    """Run the process until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.stage"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "config.test_settings"},
    ) as process:
        try:
            yield Stage(process)
        finally:
            assert process.stdin
            process.stdin.close()


def main() -> None:
    """Play act after act, until nobody asks for more."""
    import django

    django.setup()
    _lose_messages()
    # Before the first fork: what is loaded by then, no fork has to load.
    import tests.faults.flows  # noqa: F401

    for line in sys.stdin:
        ending = _play(Act(**json.loads(line)))
        sys.stdout.write(json.dumps(asdict(ending)) + "\n")
        sys.stdout.flush()


def _play(act: Act) -> Ending:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _play_and_exit(act, writer)
    os.close(writer)
    with os.fdopen(reader) as told:
        point = told.read()
    _, status = os.waitpid(child, 0)
    return Ending(os.waitstatus_to_exitcode(status), point)


def _play_and_exit(act: Act, writer: int) -> None:
    status = 1
    try:
        _act(act, writer)
        status = 0
    except BaseException:  # noqa: BLE001 - the fork must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(status)


def _act(act: Act, writer: int) -> None:
    from django.conf import settings

    from billing import stripe_gateway
    from config import clock
    from tests.faults.flows import FLOWS
    from tests.stripe_wire import SECRET_KEY

    at = datetime.fromisoformat(act.at)
    clock.set_offset(at - clock.real_now())
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = SECRET_KEY, act.stripe_url
    switchboard = Switchboard(
        ends_at=act.ends_at, tell=lambda point: os.write(writer, point.encode())
    )
    with stripe_gateway.using(switchboard.put_in()):
        FLOWS[act.flow].act(act.given, at)


def _lose_messages() -> None:
    # The broker may forget everything: whatever goes on, the sweeper found it.
    from config.celery import app

    app.conf.broker_url = "memory://"


if __name__ == "__main__":
    main()
