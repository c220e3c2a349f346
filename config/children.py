"""Child processes that end with their parent, however the parent ends."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_STARTED_WITHIN_S = 60
_ENDED_WITHIN_S = 20
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a server shows that it answers: `probe` raises `refusal` until it does."""

    probe: Callable[[], object]
    refusal: type[Exception]


def start(
    command: Sequence[str],
    *,
    log: Path,
    user: str | None = None,
    directory: str = "/",
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches its parent first.

    Call it from the main thread: on Linux the child ends with the thread that
    started it, also when that is killed outright.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            env=environment,
            cwd=directory,
            start_new_session=True,
            preexec_fn=_begin,  # noqa: PLW1509
        )


def _begin() -> None:
    end_with_parent(signal.SIGINT)
    # What a shell runs in the background ignores it, and so would a child of that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def end_with_parent(on_its_end: signal.Signals) -> None:
    """Ask the kernel to send this process a signal when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, on_its_end)


def await_answer(
    process: subprocess.Popen[bytes], readiness: Readiness, *, log: Path
) -> None:
    """Return as soon as the child answers.

    Raises:
        RuntimeError: it ended, or did not answer in time; the end of its log says why.
    """
    deadline = time.monotonic() + _STARTED_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            readiness.probe()
        except readiness.refusal:
            time.sleep(0.05)
        else:
            return
    stop(process)
    message = f"{process.args!r} did not start. The end of its log:\n"
    raise RuntimeError(message + log.read_text(errors="replace")[-2000:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child: by SIGINT, and by SIGKILL when that does not do."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=_ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
