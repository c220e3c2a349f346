"""The rows of an account's timeline, and where a page of them ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime

_BETWEEN = "~"


class Family(TextChoices):
    """What rows are about: one is chosen, or all are shown."""

    PAYMENTS = "PAYMENTS", _("Payments")
    LEDGER = "LEDGER", _("Credits")
    WEBHOOKS = "WEBHOOKS", _("Webhooks")
    ACTIONS = "ACTIONS", _("What people did")
    NOTICES = "NOTICES", _("E-mails")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that somebody changed, before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened. `credits` and `cents` are signed; None: of no amount.

    `place` orders rows: an instant, the table's rank, the number in it.
    """

    place: tuple[datetime, int, int]
    at: datetime
    family: Family
    what: str
    detail: str = ""
    who: str = ""
    reason: str = ""
    url: str = ""
    credits: int | None = None
    cents: int | None = None
    currency: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: the place of its last row, and how far ledgers were read.

    Ledgers are read by their numbers, for nothing finds their entries by time.
    """

    at: datetime
    rank: int
    number: int
    seqs: tuple[int, ...]

    def __str__(self) -> str:
        """Return it as an address says it."""
        parts = (self.at.isoformat(), self.rank, self.number, *self.seqs)
        return _BETWEEN.join(map(str, parts))


def position(text: str) -> Position | None:
    """Return the position that an address says; None: none that there can be."""
    instant, *numbers = text.split(_BETWEEN)
    try:
        at = parse_datetime(instant)
        rank, number, *seqs = map(int, numbers)
    except ValueError:
        return None
    return Position(at, rank, number, tuple(seqs)) if at and at.tzinfo else None
