"""What a job costs: exact rationals, one rounding a feature (R6)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credits.core.amounts import MAX_QUANTITY, ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class MissingRate(LookupError):
    """A feature without a rate: the job is refused, never free (R97)."""

    def __init__(self, feature: str) -> None:
        """Remember the feature."""
        super().__init__(f"There is no rate for “{feature}”.")
        self.feature = feature


class QuantityOutOfBounds(ValueError):
    """A quantity that no job can have."""

    def __init__(self, feature: str) -> None:
        """Remember the feature."""
        super().__init__(
            f"The quantity of “{feature}” must be a whole number from 1 "
            f"to {MAX_QUANTITY}."
        )
        self.feature = feature


@dataclass(frozen=True, slots=True)
class ExactRate:
    """`credits` for every `per` units (milliseconds, or pieces)."""

    credits: int
    per: int

    def cost(self, quantity: int) -> int:
        """Return the credits for a quantity: rounded up, and at least 1 unless free."""
        if self.credits == 0:
            return 0
        return max(1, ceil_div(quantity * self.credits, self.per))


@dataclass(frozen=True, slots=True)
class JobLine:
    """So much of one feature, as the caller measured it."""

    feature: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PricedLine:
    """The whole quantity of one feature in a job, and what it costs."""

    feature: str
    quantity: int
    credits: int


def price_job(
    lines: Iterable[JobLine], rates: Mapping[str, ExactRate]
) -> tuple[PricedLine, ...]:
    """Price a job: quantities of one feature are summed, then rounded up once.

    Raises:
        MissingRate: a feature has no rate.
        QuantityOutOfBounds: a quantity is not a positive whole number.

    Source: docs/rules.md R6.
    """
    totals: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        totals[line.feature] += _checked(line)
    return tuple(
        PricedLine(feature, quantity, _rate(rates, feature).cost(quantity))
        for feature, quantity in totals.items()
    )


def _checked(line: JobLine) -> int:
    if type(line.quantity) is not int or not 1 <= line.quantity <= MAX_QUANTITY:
        raise QuantityOutOfBounds(line.feature)
    return line.quantity


def _rate(rates: Mapping[str, ExactRate], feature: str) -> ExactRate:
    if feature not in rates:
        raise MissingRate(feature)
    return rates[feature]
