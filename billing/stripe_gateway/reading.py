"""How values of the SDK's objects are read. These are no dicts: there is no `.get`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar, overload

import stripe

_Object = TypeVar("_Object", bound=stripe.StripeObject)


@overload
def instant(timestamp: int) -> datetime: ...
@overload
def instant(timestamp: None) -> None: ...
def instant(timestamp: int | None) -> datetime | None:
    """Return what Stripe counts in seconds as an aware instant."""
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)


def id_of(value: object) -> str:
    """Return the id of what may be an id, an expanded object or nothing."""
    if isinstance(value, stripe.StripeObject):
        return str(value["id"])
    return str(value or "")


def expanded(value: object, kind: type[_Object]) -> _Object | None:
    """Return an expanded object; None where there is only its id."""
    return value if isinstance(value, kind) else None


def noted(holder: stripe.StripeObject | None, name: str) -> str:
    """Return the text under a name that may be missing, as in metadata, or nothing."""
    if holder is None or name not in holder:
        return ""
    return str(holder[name] or "")
