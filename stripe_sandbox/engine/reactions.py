"""What the sandbox itself does when an event happens, before anyone is told of it.

A paid intent pays its invoice, and a paid invoice renews its subscription: each hangs
on the event of the other, so that neither module knows who else is concerned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stripe_sandbox.engine.store import Json

if TYPE_CHECKING:
    from stripe_sandbox.engine.context import Context

Reaction = Callable[["Context", Json], None]
_reactions: dict[str, list[Reaction]] = {}


def reaction(event_type: str) -> Callable[[Reaction], Reaction]:
    """Register a function to run whenever an event of this type is emitted."""

    def register(function: Reaction) -> Reaction:
        _reactions.setdefault(event_type, []).append(function)
        return function

    return register


def reactions_to(event_type: str) -> list[Reaction]:
    """Return what is registered for a type, in the order of registration."""
    return _reactions.get(event_type, [])
