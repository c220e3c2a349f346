"""The staff console's desks: each app registers its own, and the frame lists them.

A desk is seen by whoever has its permission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.utils.functional import Promise

    from accounts.roles import StaffPermission

_desks: dict[str, Desk] = {}


@dataclass(frozen=True, slots=True)
class Desk:
    """A place of the console: `about` completes its label in one sentence.

    `waiting` counts cheaply what waits there for somebody. One that is not `is_daily`
    is on the console's first page only: the navigation has room for few.
    """

    url_name: str
    label: str | Promise
    icon: str
    permission: StaffPermission
    about: str | Promise
    waiting: Callable[[datetime], int] | None = None
    is_daily: bool = True


def register(*desks: Desk) -> None:
    """Let desks appear in this order, after those that are there."""
    _desks.update({desk.url_name: desk for desk in desks})


def desks_for(permissions: frozenset[StaffPermission]) -> list[Desk]:
    """Return the desks that somebody with these permissions may open."""
    return [desk for desk in _desks.values() if desk.permission in permissions]
