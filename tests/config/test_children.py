"""Nothing outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

from config import children

PARENT = """
import sys, time
from pathlib import Path
from config.embedded import servers
with servers(Path(sys.argv[1]), durable=False, postgres=sys.argv[2] == "postgres",
             valkey=sys.argv[2] == "valkey"):
    print("ready", flush=True)
    time.sleep(60)
"""
CREW = """
from config.crew import Crew
import config.crew, sys
config.crew._GRACE_S = 0.5
crew = Crew()
for number in range(2):
    crew.add_process(f"deaf{number}", f"exec {sys.executable} -c '{sys.argv[1]}'")
crew.loop()
"""
DEAF = (
    "import signal, time, os; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    ' print("pid", os.getpid(), flush=True); time.sleep(60)'
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells children that a parent died"
)


def run(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )


def processes_in(directory: str) -> list[str]:
    """Return the command lines that mention a directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as line:
                command = line.read()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if directory in command and "servers" not in command:
            found.append(command)
    return found


def wait_until(fact) -> bool:
    deadline = time.monotonic() + 10
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.05)
    return fact()


class TestEmbeddedServers:
    @pytest.mark.parametrize("server", ["postgres", "valkey"])
    def test_end_with_a_parent_that_is_killed(self, server, tmp_path):
        with run(PARENT, str(tmp_path), server) as parent:
            assert parent.stdout.readline() == "ready\n"
            assert processes_in(str(tmp_path))

            parent.kill()

        assert wait_until(lambda: not processes_in(str(tmp_path)))

    def test_end_with_a_parent_that_is_asked_to(self, tmp_path):
        with run(PARENT, str(tmp_path), "valkey") as parent:
            parent.stdout.readline()
            parent.send_signal(signal.SIGINT)

        assert not processes_in(str(tmp_path))


class TestStop:
    def test_ends_what_was_started_in_the_background(self, tmp_path):
        # There, shells have whatever they run ignore Ctrl-C.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = children.start(
            [sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log"
        )
        signal.signal(signal.SIGINT, before)

        children.stop(child)

        assert child.returncode == -signal.SIGINT


class TestAwaitAnswer:
    def test_tells_the_end_of_the_log_when_the_child_ends(self, tmp_path):
        log = tmp_path / "log"
        complain = "import sys; sys.exit('no such luck')"
        child = children.start([sys.executable, "-c", complain], log=log)

        with pytest.raises(RuntimeError, match="no such luck"):
            children.await_answer(
                child, children.Readiness(_refuse, ConnectionError), log=log
            )


class TestCrew:
    def test_ends_members_that_do_not_listen(self):
        with run(CREW, DEAF) as launcher:
            pids = _pids(launcher)

            launcher.terminate()
            launcher.communicate(timeout=20)

        assert not any(map(_lives, pids))

    def test_ends_members_when_it_is_killed(self):
        listening = DEAF.replace("SIG_IGN", "SIG_DFL")
        with run(CREW, listening) as launcher:
            pids = _pids(launcher)

            launcher.kill()

        assert wait_until(lambda: not any(map(_lives, pids)))


def _pids(launcher: subprocess.Popen[str]) -> list[int]:
    lines = iter(launcher.stdout.readline, "")
    told = (line.rpartition("| pid ")[2] for line in lines if "| pid " in line)
    return [int(next(told)), int(next(told))]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _refuse() -> None:
    raise ConnectionRefusedError
