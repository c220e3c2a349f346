"""What each case must reach, and what a run says about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A machine in use moves a figure by a few percent: a miss within this proves nothing.
_NOISE = 0.10


class Verdict(StrEnum):
    """What a run says about a goal."""

    OK = "ok"
    FAILED = "FAILED"
    INCONCLUSIVE = "inconclusive: rerun"


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio of two figures of one round, and the least or the most it may be."""

    case: str
    title: str
    over: str
    under: str
    bound: float
    is_ceiling: bool = False
    factor: float = 1

    def ratio(self, figures: Mapping[str, float]) -> float:
        """Return the ratio that one round measured."""
        return self.factor * figures[self.over] / figures[self.under]

    def loosened(self, by: float) -> float:
        """Return the bound for a quick look, `by` times as easy to keep."""
        return self.bound * by if self.is_ceiling else self.bound / by


@dataclass(frozen=True, slots=True)
class Result:
    """The ratios of all rounds, judged."""

    goal: Goal
    bound: float
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the middle ratio."""
        return median(self.ratios)

    @property
    def verdict(self) -> Verdict:
        """Judge: a goal has failed when no round came near it."""
        if self.goal.is_ceiling:
            is_met = self.median <= self.bound
            is_far = min(self.ratios) > self.bound * (1 + _NOISE)
        else:
            is_met = self.median >= self.bound
            is_far = max(self.ratios) < self.bound * (1 - _NOISE)
        if is_met:
            return Verdict.OK
        return Verdict.FAILED if is_far else Verdict.INCONCLUSIVE


def judge(
    goal: Goal, rounds: Sequence[Mapping[str, float]], *, loosened_by: float
) -> Result:
    """Return what the rounds say about a goal."""
    ratios = tuple(goal.ratio(figures) for figures in rounds)
    return Result(goal, goal.loosened(loosened_by), ratios)


GOALS = (
    Goal("1", "debit / one-statement floor", "debit", "floor1", 0.40),
    Goal("2", "debit / five-statement floor", "debit", "floor5", 1.0),
    Goal("3", "hold and capture / debit", "hold_capture", "debit", 0.5),
    Goal("4", "debit over HTTP / its SQL by pgbench", "http", "request", 0.35),
    Goal("7", "one wallet over HTTP, 64 / 1 clients", "http_hot_64", "http_hot_1", 1.0),
    Goal("8", "batch / single, one busy wallet", "batch_hot", "debit_hot", 15),
    Goal("8", "batch / single, a random wallet", "batch_random", "debit", 10),
    Goal("8", "batch / single, mixed wallets", "batch_mixed", "debit", 4),
    Goal(
        "9b",
        "time of 1,000 mixed / of 100",
        over="batch_mixed",
        under="batch_mixed_200",
        bound=12,
        is_ceiling=True,
        factor=10,
    ),
    Goal("10", "debit by Django / django-hordak", "django", "hordak", 5),
    Goal("20", "in-page share, wallets", "wallet_in_page", "wallet_updates", 0.99),
    Goal("20", "in-page share, grants", "grant_in_page", "grant_updates", 0.99),
)
