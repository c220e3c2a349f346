"""Which of Stripe's objects are looked at, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

_Fetched = TypeVar("_Fetched")
_Seen_contra = TypeVar("_Seen_contra", contravariant=True)
_handlers: dict[str, Handler[Any]] = {}


class Apply(Protocol[_Seen_contra]):
    """Acts on what was fetched, inside the inbox's transaction."""

    def __call__(self, fetched: _Seen_contra, /, *, at: datetime) -> str:
        """Return the outcome in a word or two."""


@dataclass(frozen=True, slots=True)
class Handler(Generic[_Fetched]):
    """How one kind of object is looked at, and the events that tell of it.

    `fetch` asks Stripe for the object's present state, outside any transaction.
    """

    object_kind: str
    events: tuple[str, ...]
    fetch: Callable[[str], _Fetched]
    apply: Apply[_Fetched]


def register(handler: Handler[Any]) -> None:
    """Let a handler look at its kind of object."""
    _handlers[handler.object_kind] = handler


def handler_for(object_kind: str) -> Handler[Any] | None:
    """Return who looks at a kind of object: None for kinds that mean nothing here."""
    return _handlers.get(object_kind)


def object_kinds() -> list[str]:
    """Return the kinds of objects that somebody looks at, by name."""
    return sorted(_handlers)


def subscribed_events() -> list[str]:
    """Return the events that Stripe is asked to send: those with a handler."""
    return sorted(event for handler in _handlers.values() for event in handler.events)
