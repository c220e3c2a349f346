"""Publishing rate cards: from the file to rows that are never edited (R96)."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from credits.models import Rate, RateCard

if TYPE_CHECKING:
    from datetime import datetime

RATE_CARD_FILE = Path(__file__).with_name("rate_card.toml")


class PublishedCardEdited(Exception):
    """The file says something else than the published card of the same version."""

    def __init__(self, card: RateCard, differences: list[str]) -> None:
        """Name the card and what differs."""
        super().__init__(
            f"Rate card {card.version} of the rate plan “{card.rate_plan}” is"
            f" published and differs from the file in: {', '.join(differences)}."
            " Published rate cards are never edited (R96): raise the version and"
            " give it a later start."
        )


@dataclass(frozen=True, slots=True)
class RateLine:
    """One line of the file: `credits` for every `per` units."""

    feature: str
    label: str
    unit: str
    credits: int
    per: int
    shown_per: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CardToPublish:
    """The rates of one rate plan, in the order of the file."""

    rate_plan: str
    version: int
    starts_at: datetime
    lines: tuple[RateLine, ...]


def read(file: Path = RATE_CARD_FILE) -> tuple[CardToPublish, ...]:
    """Return the cards of a file: one for each rate plan."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(
        CardToPublish(
            rate_plan=rate_plan,
            version=content["version"],
            starts_at=content["starts_at"],
            lines=_lines(content["rates"], changes),
        )
        for rate_plan, changes in content["rate_plans"].items()
    )


@transaction.atomic
def publish(card: CardToPublish, *, at: datetime) -> bool:
    """Publish a card; return False when this very card was published before.

    Raises:
        PublishedCardEdited: its version was published with other content.
    """
    row, is_new = RateCard.objects.get_or_create(
        rate_plan=card.rate_plan,
        version=card.version,
        defaults={"starts_at": card.starts_at, "created_at": at},
    )
    if is_new:
        Rate.objects.bulk_create(
            Rate(rate_card=row, position=position, **asdict(line))
            for position, line in enumerate(card.lines)
        )
    elif differences := _differences(card, row):
        raise PublishedCardEdited(row, differences)
    return is_new


def line_of(rate: Rate) -> RateLine:
    """Return a published rate as a card to publish has it."""
    return RateLine(
        feature=rate.feature,
        label=rate.label,
        unit=rate.unit,
        credits=rate.credits,
        per=rate.per,
        shown_per=rate.shown_per,
        note=rate.note,
    )


def _lines(
    rates: list[dict[str, Any]], changes: dict[str, dict[str, Any]]
) -> tuple[RateLine, ...]:
    if unknown := changes.keys() - {rate["feature"] for rate in rates}:
        message = f"A rate plan changes features without a rate: {sorted(unknown)}."
        raise ValueError(message)
    return tuple(
        RateLine(**{**rate, **changes.get(rate["feature"], {})}) for rate in rates
    )


def _differences(card: CardToPublish, row: RateCard) -> list[str]:
    filed = {line.feature: (n, line) for n, line in enumerate(card.lines)}
    published = {
        rate.feature: (rate.position, line_of(rate)) for rate in row.rates.all()
    }
    features = sorted(
        feature
        for feature in filed.keys() | published.keys()
        if filed.get(feature) != published.get(feature)
    )
    return (["starts_at"] if card.starts_at != row.starts_at else []) + features
