"""What a job costs, at the rates in force for a rate plan at an instant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.templatetags import units
from credits.core.rating import ExactRate, price_job
from credits.ledger import UsedLine
from credits.models import Rate, RateCard, RateUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credits.core.rating import JobLine

STANDARD = "standard"

# What a rate of time is shown for. Any other word names a piece.
SHOWN_MS = {"second": 1_000, "minute": 60_000, "5 minutes": 300_000}


class NoRateCard(LookupError):
    """No rate card of a rate plan is in force: nothing can be priced (R97)."""

    def __init__(self, rate_plan: str) -> None:
        """Remember the rate plan."""
        super().__init__(f"No rate card of “{rate_plan}” is in force.")
        self.rate_plan = rate_plan


@dataclass(frozen=True, slots=True)
class FeatureRate:
    """One feature's rate: `credits` for every `per` milliseconds or pieces."""

    feature: str
    label: str
    unit: RateUnit
    credits: int
    per: int
    shown_per: str
    note: str

    @property
    def is_timed(self) -> bool:
        """Whether quantities are milliseconds."""
        return self.unit == RateUnit.MILLISECOND

    @property
    def shown_credits(self) -> int:
        """Return the credits for one `shown_per`, as people read the rate."""
        return self.exact.cost(SHOWN_MS.get(self.shown_per, 1))

    @property
    def is_shown_exactly(self) -> bool:
        """Whether what people read is the rate itself."""
        shown_units = SHOWN_MS.get(self.shown_per, 1)
        return self.shown_credits * self.per == self.credits * shown_units

    @property
    def shown(self) -> str:
        """Return the rate as people read it: “20 credits per minute”."""
        if self.credits == 0:
            return _("Included")
        return f"{units.plural_credits(self.shown_credits)} {_('per')} {self.shown_per}"

    @property
    def exact(self) -> ExactRate:
        """Return the fraction that prices jobs."""
        return ExactRate(credits=self.credits, per=self.per)


@dataclass(frozen=True, slots=True)
class RateTable:
    """The rates of one published card, in the order that people see."""

    version: int
    rate_plan: str
    starts_at: datetime
    rates: tuple[FeatureRate, ...]

    def rate_of(self, feature: str) -> FeatureRate | None:
        """Return the rate of a feature, if it has one."""
        return next((rate for rate in self.rates if rate.feature == feature), None)


@dataclass(frozen=True, slots=True)
class Quote:
    """The exact credits of a job: one line a feature, each rounded up once (R6)."""

    credits: int
    rate_plan: str
    rate_version: int
    lines: tuple[UsedLine, ...]


@dataclass(frozen=True, slots=True)
class Calculation:
    """What so much of one feature costs, and how that comes about."""

    quantity: str
    rate: str
    unrounded: str
    is_rounded: bool
    credits: int


def rates_in_force(*, rate_plan: str, at: datetime) -> RateTable:
    """Return the rates that jobs of this instant are charged at.

    Raises:
        NoRateCard: none of this rate plan has started.
    """
    versions = RateCard.objects.filter(rate_plan=rate_plan, starts_at__lte=at)
    version = versions.order_by("-starts_at").values_list("version", flat=True).first()
    if version is None:
        raise NoRateCard(rate_plan)
    return rate_table(rate_plan, version)


def published_rate(feature: str, version: int) -> FeatureRate | None:
    """Return what a version calls a feature and counts; plans differ in price only."""
    try:
        return _published(version).get(feature)
    except RateCard.DoesNotExist:
        return None


# A published card never changes (R96), so nothing here can be out of date.
@lru_cache(maxsize=64)
def rate_table(rate_plan: str, version: int) -> RateTable:
    """Return the rates of one published version."""
    card = RateCard.objects.prefetch_related("rates").get(
        rate_plan=rate_plan, version=version
    )
    rates = sorted(card.rates.all(), key=lambda rate: rate.position)
    return RateTable(
        version=version,
        rate_plan=rate_plan,
        starts_at=card.starts_at,
        rates=tuple(_feature_rate(rate) for rate in rates),
    )


def quote(*, lines: Sequence[JobLine], rate_plan: str, at: datetime) -> Quote:
    """Price a job at the rates in force (R108).

    Raises:
        MissingRate: a feature has no rate (R97).
        QuantityOutOfBounds: a quantity is not a positive whole number.
        NoRateCard: no card of this rate plan has started.
    """
    return quote_at(lines=lines, table=rates_in_force(rate_plan=rate_plan, at=at))


def quote_at(*, lines: Sequence[JobLine], table: RateTable) -> Quote:
    """Price a job at the rates of a table.

    Raises:
        MissingRate: a feature has no rate (R97).
        QuantityOutOfBounds: a quantity is not a positive whole number.
    """
    asked = {line.feature for line in lines}
    rates = {rate.feature: rate.exact for rate in table.rates if rate.feature in asked}
    priced = price_job(lines, rates)
    return Quote(
        credits=sum(line.credits for line in priced),
        rate_plan=table.rate_plan,
        rate_version=table.version,
        lines=tuple(
            UsedLine(line.feature, line.quantity, table.version, line.credits)
            for line in priced
        ),
    )


def calculate(rate: FeatureRate, quantity: int) -> Calculation:
    """Price a quantity of one feature and show the working to two decimals."""
    hundredths, beyond = divmod(quantity * rate.credits * 100, rate.per)
    whole, decimals = divmod(hundredths, 100)
    fraction = f".{decimals:02}" if decimals or beyond else ""
    return Calculation(
        quantity=quantity_text(rate.unit, quantity, rate.shown_per),
        rate=rate.shown,
        unrounded=units.credits(whole) + fraction + ("…" if beyond else ""),
        is_rounded=bool(decimals or beyond),
        credits=rate.exact.cost(quantity),
    )


def quantity_text(unit: str, quantity: int, shown_per: str) -> str:
    """Return a quantity as people say it: “1 min 12 s”, “3 looks”."""
    if unit == RateUnit.MILLISECOND:
        return units.duration(quantity)
    pieces = shown_per if quantity == 1 else f"{shown_per}s"
    return f"{units.credits(quantity)} {pieces}"


@lru_cache(maxsize=64)
def _published(version: int) -> dict[str, FeatureRate]:
    rates = Rate.objects.filter(rate_card__version=version).order_by("-rate_card_id")
    if not rates:
        raise RateCard.DoesNotExist  # and so not remembered
    return {rate.feature: _feature_rate(rate) for rate in rates}


def _feature_rate(rate: Rate) -> FeatureRate:
    return FeatureRate(
        feature=rate.feature,
        label=rate.label,
        unit=RateUnit(rate.unit),
        credits=rate.credits,
        per=rate.per,
        shown_per=rate.shown_per,
        note=rate.note,
    )
