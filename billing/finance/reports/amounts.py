"""Credits, and what they were paid with: what every report counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """So many credits, and the cents that they cost (R100); both signed."""

    credits: int = 0
    cents: int = 0

    def __add__(self, other: Amount) -> Amount:
        """Return both together."""
        return Amount(self.credits + other.credits, self.cents + other.cents)

    def __neg__(self) -> Amount:
        """Return the opposite."""
        return Amount(-self.credits, -self.cents)
