"""What a run says, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.goals import Result


_BOOKS = "| 21 | the books after it | 0 problems | {} | | {} |"


def table(
    results: Sequence[Result],
    rounds: Sequence[Mapping[str, float]],
    broken: Sequence[str],
) -> str:
    """Return the table of docs/performance.md."""
    lines = [
        f"Ratios of {len(rounds)} rounds, each measured beside its own limit.",
        "",
        "| # | what | goal | median | range | verdict |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(result) for result in results),
        _BOOKS.format(len(broken), "FAILED" if broken else "ok"),
        *(f"\n{problem}" for problem in broken),
    ]
    return "\n".join(lines)


def as_json(
    results: Sequence[Result],
    rounds: Sequence[Mapping[str, float]],
    broken: Sequence[str],
) -> str:
    """Return everything that was measured: ratios, and the figures of each round."""
    goals = [
        {
            "case": result.goal.case,
            "title": result.goal.title,
            "bound": result.bound,
            "is_ceiling": result.goal.is_ceiling,
            "ratios": result.ratios,
            "median": result.median,
            "verdict": result.verdict,
        }
        for result in results
    ]
    return json.dumps({"goals": goals, "rounds": rounds, "broken": broken}, indent=2)


def progress(number: int, rounds: int, figures: Mapping[str, float]) -> str:
    """Return one line about a round that is over."""
    told = ", ".join(f"{name} {figure:,.0f}" for name, figure in figures.items())
    return f"Round {number} of {rounds}{'' if number else ' (discarded)'}: {told}"


def _row(result: Result) -> str:
    sign = "≤" if result.goal.is_ceiling else "≥"
    return (
        f"| {result.goal.case} | {result.goal.title} | {sign} {result.bound:g} "
        f"| {result.median:.2f} | {min(result.ratios):.2f} to {max(result.ratios):.2f} "
        f"| {result.verdict} |"
    )
