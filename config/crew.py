"""Processes side by side, under honcho: they start together and end together."""

from __future__ import annotations

import signal
import subprocess
from functools import partial

from honcho.manager import Manager
from honcho.process import Popen, Process

from config.children import end_with_parent

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_GRACE_S = 10.0
_MOMENT_S = 0.1


class Crew(Manager):
    """Honcho's manager, which also ends members that hang, and dies with nobody left.

    Honcho counts its patience from the first member that ended: when all of them
    hang it would wait forever.
    """

    def __init__(self) -> None:
        """Prepare an empty crew. Its `loop` belongs into the main thread."""
        super().__init__()
        self._process_ctor = _Member
        signal.signal(signal.SIGALRM, self._on_alarm)

    def loop(self) -> None:
        """Run everybody until one ends, or until a signal. Nobody is left after it."""
        try:
            super().loop()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._end_the_rest()

    def terminate(self) -> None:
        """Ask everybody to end, and insist after a while."""
        if self._terminating:
            return
        if not self._all_started():
            # Whom to end is not known yet: ask again in a moment.
            signal.setitimer(signal.ITIMER_REAL, _MOMENT_S)
            return
        signal.setitimer(signal.ITIMER_REAL, _GRACE_S)
        super().terminate()

    def _start(self) -> None:
        # A member may not meet Ctrl-C before it ignores it: nobody would tell its end.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        super()._start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def _end_the_rest(self) -> None:
        # The loop ends early when it cannot print: `make run | head`.
        for member in self._processes.values():
            if "pid" in member and "returncode" not in member:
                self._procmgr.kill(member["pid"])
                member["process"].kill()

    def _on_alarm(self, *_: object) -> None:
        if self._terminating:
            self.kill()
        else:
            self.terminate()


class _Member(Process):
    """Honcho's process, which ends with the launcher even when that is killed."""

    def run(self, events: object = None, ignore_signals: object = None) -> None:
        """Run the command until it ends. Called by honcho in a process of its own."""
        end_with_parent(signal.SIGKILL)
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        self._child_ctor = partial(
            Popen, preexec_fn=_begin_command, stdin=subprocess.DEVNULL
        )
        super().run(events, ignore_signals)


def _begin_command() -> None:
    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)
    end_with_parent(signal.SIGTERM)
