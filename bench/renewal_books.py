"""The books of a run: accounts on annual plans, whose paid months are to be granted."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.lab import Lab

_HERE = Path(__file__).resolve().parent
_BY_ORM = 2_000  # months a round: it would take minutes for all


class Group(IntEnum):
    """Accounts whose months begin at the same instants: hours after the others'."""

    OURS = 1
    FLOOR = 2
    ORM = 3
    BESIDE = 4


@dataclass(frozen=True, slots=True)
class Books:
    """What is loaded: how many accounts each group has, and when their years began."""

    sizes: dict[Group, int]
    months: int
    anchor: datetime

    @classmethod
    def of(cls, cycles: int, *, rounds: int) -> Books:
        """Return books in which so many months are due in each round."""
        from billing.core.periods import add_months  # noqa: PLC0415

        months = rounds + 2  # the first is granted, that of round 0 is not counted
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        sizes = {
            Group.OURS: cycles,
            Group.FLOOR: cycles,
            Group.ORM: min(cycles, _BY_ORM),
            Group.BESIDE: cycles // 5,
        }
        return cls(sizes, months, add_months(midnight.replace(day=1), -months))

    @property
    def accounts(self) -> int:
        """Return how many accounts there are in all."""
        return sum(self.sizes.values())

    def first(self, group: Group) -> int:
        """Return the lowest id of a group; accounts and wallets have the same."""
        return 1 + sum(self.sizes[other] for other in Group if other < group)

    def begins(self, month: int, group: Group) -> datetime:
        """Return when a month of a group begins."""
        from billing.core.periods import add_months  # noqa: PLC0415

        return add_months(self.anchor, month) + timedelta(hours=group)


def load(lab: Lab, books: Books) -> None:
    """Write accounts and paid months, as billing would have left them."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("load_catalogue", stdout=io.StringIO())
    started = time.monotonic()
    groups = [
        f"({group:d}, {books.first(group)}, {books.first(group) - 1 + size})"
        for group, size in books.sizes.items()
    ]
    statements = filled(
        "renewal_books.sql",
        groups=", ".join(groups),
        anchor=books.anchor,
        months=books.months,
        accounts=books.accounts,
    )
    lab.admin.execute(statements.encode())
    lab.entries += books.accounts
    took = time.monotonic() - started
    print(f"{books.accounts:,} accounts loaded in {took:.0f} s.", file=sys.stderr)


def filled(name: str, **values: object) -> str:
    """Return the statements of a file, with its names replaced by values."""
    text = (_HERE / name).read_text()
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return text
