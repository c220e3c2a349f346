"""What a comparison finds: a difference, named, with the figures of both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from credits.models import CreditGrant, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.models import BreakKind

# How many of Stripe's objects are looked for in one query of ours.
_AT_ONCE = 5_000

_One = TypeVar("_One")
Figures = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `subject` is Stripe's id of what differs, or ours.

    `repair` names the object of Stripe's to look at again, by the handler that its
    webhooks have: (kind, id). Without it somebody has to decide.
    """

    kind: BreakKind
    subject: str
    happened_at: datetime
    account_id: int | None = None
    here: Figures = field(default_factory=dict)
    at_stripe: Figures = field(default_factory=dict)
    repair: tuple[str, str] = ("", "")


def chunks(many: Iterable[_One]) -> Iterator[Sequence[_One]]:
    """Yield what fits into one query, until there is no more."""
    rest = iter(many)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk


def grants_from(
    sources: Sequence[str], since: datetime | None
) -> QuerySet[CreditGrant]:
    """Return what was granted from these sources, with the wallets.

    What was given a later expiry was granted before, and is not granted anew (R95).
    """
    grants = CreditGrant.objects.filter(
        source__in=sources, wallet__unit=WalletUnit.CREDITS
    ).exclude(source_key__startswith="move:")
    if since:
        grants = grants.filter(created_at__gte=since)
    return grants.select_related("wallet")
