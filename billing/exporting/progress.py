"""How far a table is written, and whether anybody still wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


class Stopped(Exception):
    """It was canceled, or is another worker's by now: what was written goes."""


@dataclass(slots=True)
class Progress:
    """Rows that are written, of how many. Others may read it, and stop it."""

    rows: int = 0
    total: int | None = None
    is_stopped: bool = False

    def check(self) -> None:
        """Go on only while it is wanted.

        Raises:
            Stopped: it no longer is.
        """
        if self.is_stopped:
            raise Stopped

    def counted(self, rows: Iterable[T]) -> Iterator[T]:
        """Yield rows, counting each.

        Raises:
            Stopped: no more are wanted.
        """
        for row in rows:
            if self.is_stopped:
                raise Stopped
            self.rows += 1
            yield row
