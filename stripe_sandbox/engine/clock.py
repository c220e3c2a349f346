"""The sandbox's time: real time plus an offset that survives restarts."""

from __future__ import annotations

import time

from stripe_sandbox.engine.store import Store

_OFFSET = "clock_offset_s"


class Clock:
    """What `created` and every due time go by. Signatures go by real time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._frozen_at: int | None = None

    def now(self) -> int:
        """Return the sandbox's time in Unix seconds."""
        if self._frozen_at is not None:
            return self._frozen_at
        return int(time.time()) + self.offset_s

    @property
    def offset_s(self) -> int:
        """How far the sandbox is ahead of real time, in seconds."""
        return int(self._store.setting(_OFFSET, "0"))

    def set_offset(self, offset_s: int) -> None:
        """Move the sandbox's time."""
        self._store.set_setting(_OFFSET, str(offset_s))

    def set_now(self, at: int) -> None:
        """Make it now, by the sandbox's time, so many Unix seconds."""
        if self._frozen_at is not None:
            self.freeze(at)
        else:
            self.set_offset(at - int(time.time()))

    def freeze(self, at: int) -> None:
        """Stop the clock of this object at a time, for tests."""
        self._frozen_at = at
