"""Faults on order: the next matching API request fails in a chosen way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["500", "429", "reset", "timeout_after_commit"]


class ConnectionLost(Exception):
    """The client gets no answer; the request may have been executed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of failure and the start of the `METHOD /path` that it hits."""

    kind: Kind
    on: str


class Faults:
    """Pending faults, each used once, oldest first."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._guard = threading.Lock()

    def order(self, kind: Kind, *, on: str = "", times: int = 1) -> None:
        """Let the next `times` requests fail that begin with `on` ("POST /v1/re")."""
        if kind not in get_args(Kind):
            raise ValueError(kind)
        with self._guard:
            self._pending += [Fault(kind, on)] * times

    def pending(self) -> list[Fault]:
        """Return what is ordered and not yet used, oldest first."""
        with self._guard:
            return list(self._pending)

    def clear(self) -> None:
        """Forget what is ordered."""
        with self._guard:
            self._pending.clear()

    def take(self, request_line: str) -> Kind | None:
        """Return the fault that this request meets, and use it up."""
        with self._guard:
            for position, fault in enumerate(self._pending):
                if request_line.startswith(fault.on):
                    return self._pending.pop(position).kind
        return None
