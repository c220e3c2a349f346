"""How fast months are granted, beside their floor: `python -m bench.renewing`.

Two processes run the portal's own step over the months of annual plans that have begun.
The floor writes the same rows to the same tables, and knows every number beforehand.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import report
from bench.books import problems
from bench.goals import Goal, Verdict, judge
from bench.lab import ROOT, open_lab
from bench.renewal_blocks import Renewals, crew
from bench.renewal_books import Books, load

if TYPE_CHECKING:
    from bench.blocks import Figures

_SMOKE_LOOSENED_BY = 2
_MOST_ROUNDS = 9  # a year has no more months for them

GOALS = (
    Goal("11", "months granted / plain INSERT and UPDATE", "renewed", "floor", 0.6),
    Goal("12", "months granted / by Django's models in bulk", "renewed", "orm", 25),
    Goal(
        "14",
        "longest wait of a debit beside it / a chunk's aim",
        over="wait_beside_ms",
        under="aim_ms",
        bound=2,
        is_ceiling=True,
    ),
)
GROWTH_GOALS = (
    Goal(
        "13",
        "months a second, of some / of ten times as many",  # an exponent of 1.15
        over="renewed",
        under="renewed_of_many",
        bound=1.41,
        is_ceiling=True,
    ),
    Goal(
        "13", "debits among ten times the wallets / some", "debit_of_many", "debit", 0.8
    ),
)


def main() -> int:
    """Load, measure and print; return 1 when a goal or the books failed."""
    asked = _arguments()
    rounds, broken = measure(asked.cycles, rounds=asked.rounds, seconds=asked.seconds)
    goals = GOALS
    if asked.many:
        of_many, broken_of_many = _measure_many(asked.many, seconds=asked.seconds)
        rounds = [figures | of_many for figures in rounds]
        broken, goals = broken + broken_of_many, GOALS + GROWTH_GOALS
    loosened_by = _SMOKE_LOOSENED_BY if asked.smoke else 1
    results = [judge(goal, rounds, loosened_by=loosened_by) for goal in goals]
    print(report.table(results, rounds, broken))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(report.as_json(results, rounds, broken))
    has_failed = any(result.verdict is Verdict.FAILED for result in results)
    return 1 if broken or has_failed else 0


def measure(
    cycles: int, *, rounds: int, seconds: float
) -> tuple[list[Figures], list[str]]:
    """Return the figures of each round but the first, and what the books say then."""
    with open_lab(wallets=0) as lab:
        books = Books.of(cycles, rounds=rounds)
        load(lab, books)
        with crew() as workers:
            renewals = Renewals(lab, books, workers, seconds=seconds)
            measured = []
            for number in range(rounds + 1):
                measured.append(renewals.round(number + 1))
                told = report.progress(number, rounds, measured[-1])
                print(told, file=sys.stderr)
        return measured[1:], problems(lab, {})


def _measure_many(cycles: int, *, seconds: float) -> tuple[Figures, list[str]]:
    """Measure in a database of its own, by another run of this program."""
    with tempfile.TemporaryDirectory() as directory:
        told = Path(directory) / "many.json"
        command = [
            *(sys.executable, "-m", "bench.renewing", "--cycles", str(cycles)),
            *("--many", "0", "--rounds", "1", "--seconds", str(seconds)),
            *("--json", str(told)),
        ]
        # Its goals are judged here; only its figures count.
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
        found = json.loads(told.read_text())
    figures = {
        f"{name}_of_many": median(figures[name] for figures in found["rounds"])
        for name in ("renewed", "floor", "debit")
    }
    return figures, found["broken"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.renewing", description=__doc__
    )
    parser.add_argument("--cycles", type=int, help="months that are due in a round")
    parser.add_argument(
        "--many", type=int, help="measure so many too; 0: case 13 is left out"
    )
    parser.add_argument("--rounds", type=int, help="besides the discarded first one")
    parser.add_argument("--seconds", type=float, help="how long debits run")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument(
        "--smoke", action="store_true", help="a quick look, with bounds halved"
    )
    asked = parser.parse_args()
    usual = (5_000, 0, 2, 1) if asked.smoke else (100_000, 1_000_000, 5, 5)
    for name, value in zip(("cycles", "many", "rounds", "seconds"), usual, strict=True):
        if getattr(asked, name) is None:
            setattr(asked, name, value)
    if asked.rounds > _MOST_ROUNDS:
        parser.error(f"there can be {_MOST_ROUNDS} rounds: a year has twelve months")
    return asked


if __name__ == "__main__":
    sys.exit(main())
