"""Measures, judges and prints: `python -m bench`; `--help` lists what it takes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import peer, report
from bench.blocks import BLOCKS, Blocks
from bench.books import problems
from bench.goals import GOALS, Goal, Verdict, judge
from bench.lab import Lab, open_lab

if TYPE_CHECKING:
    from collections.abc import Sequence

_SMOKE_LOOSENED_BY = 2


def main() -> int:
    """Run what was asked for; return 1 when a goal or the books failed."""
    asked = _arguments()
    goals = [goal for goal in GOALS if not asked.case or goal.case in asked.case]
    with open_lab(wallets=asked.wallets) as lab:
        goals = _without_absent_peer(lab, goals)
        blocks = Blocks(lab, seconds=asked.seconds)
        try:
            rounds = _measure(lab, blocks, goals, rounds=asked.rounds)
        finally:
            blocks.close()
        broken = problems(lab, blocks.accepted)
    loosened_by = _SMOKE_LOOSENED_BY if asked.smoke else 1
    results = [judge(goal, rounds, loosened_by=loosened_by) for goal in goals]
    print(report.table(results, rounds, broken))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(report.as_json(results, rounds, broken))
    has_failed = any(result.verdict is Verdict.FAILED for result in results)
    return 1 if broken or has_failed else 0


def _measure(
    lab: Lab, blocks: Blocks, goals: Sequence[Goal], *, rounds: int
) -> list[dict[str, float]]:
    """Return the figures of each round but the first, which warms everything up."""
    wanted = {name for goal in goals for name in (goal.over, goal.under)}
    chosen = [name for name, figures in BLOCKS.items() if wanted & set(figures)]
    measured = []
    for number in range(rounds + 1):
        figures: dict[str, float] = {}
        for name in chosen:
            lab.checkpoint()
            figures |= getattr(blocks, name)()
        measured.append(figures)
        print(report.progress(number, rounds, figures), file=sys.stderr)
    return measured[1:]


def _without_absent_peer(lab: Lab, goals: list[Goal]) -> list[Goal]:
    others = [goal for goal in goals if goal.under != "hordak"]
    if len(others) < len(goals):
        try:
            peer.install(lab)
        except peer.NotInstallable as reason:
            print(f"Case 10 is left out: {reason}", file=sys.stderr)
            return others
    return goals


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--case", action="append", help="only this case; may be repeated"
    )
    parser.add_argument("--rounds", type=int, help="besides the discarded first one")
    parser.add_argument("--seconds", type=float, help="how long each block runs")
    parser.add_argument("--wallets", type=int)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument(
        "--smoke", action="store_true", help="a quick look, with bounds halved"
    )
    asked = parser.parse_args()
    rounds, seconds, wallets = (3, 1, 2_000) if asked.smoke else (5, 5, 100_000)
    asked.rounds = asked.rounds or rounds
    asked.seconds = asked.seconds or seconds
    asked.wallets = asked.wallets or wallets
    return asked


if __name__ == "__main__":
    sys.exit(main())
