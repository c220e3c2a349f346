"""How long finance's month takes over a million draws: `python -m bench.finance`.

The floor adds up all of these draws once, grant by grant, and knows nothing of cents,
kinds and dates. The month is the last of fourteen, as finance closes it.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench import report
from bench.goals import Goal, Verdict, judge
from bench.lab import open_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.lab import Lab

Answer = TypeVar("Answer")

_SEED = Path(__file__).resolve().with_suffix(".sql")
_DRAWS_OF_A_WALLET = 203
_FLOOR = """
    SELECT sum(credits)::bigint FROM (
        SELECT grant_id, sum(draw.credits) AS credits
        FROM credits_grantdraw AS draw
        JOIN credits_ledgerentry AS entry ON entry.id = draw.entry_id
        GROUP BY grant_id
    ) AS added_up
"""

GOALS = (
    # A month is a fourteenth of the draws, each dearer than the floor's: half of its
    # time when this was written. All of history would take twice the floor's.
    Goal(
        "16",
        "a month's roll-forward / all draws added up once",
        over="forward",
        under="floor",
        bound=0.8,
        is_ceiling=True,
    ),
    # Five looks at the ledger, of which breakage's goes through all that expired: 1.8
    # times the floor. It took eight, by plan sixteen, when each began with history.
    Goal(
        "16",
        "the month's page / all draws added up once",
        over="page",
        under="floor",
        bound=2.5,
        is_ceiling=True,
    ),
)


def main() -> int:
    """Load, measure and print; return 1 when a goal failed, or a sum is wrong."""
    asked = _arguments()
    os.environ["LOG_LEVEL"] = "WARNING"
    with open_lab(wallets=0) as lab:
        _load(lab, draws=asked.draws)
        rounds, broken = _measure(rounds=asked.rounds)
    loosened_by = 2 if asked.smoke else 1
    results = [judge(goal, rounds, loosened_by=loosened_by) for goal in GOALS]
    print(report.table(results, rounds, broken))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(report.as_json(results, rounds, broken))
    has_failed = any(result.verdict is Verdict.FAILED for result in results)
    return 1 if broken or has_failed else 0


def _load(lab: Lab, *, draws: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415

    call_command("load_catalogue", stdout=io.StringIO())
    started = time.monotonic()
    wallets = str(max(1, draws // _DRAWS_OF_A_WALLET))
    lab.admin.execute(_SEED.read_text().replace("{wallets}", wallets).encode())
    lab.admin.execute("RESET ALL")
    lab.admin.execute("VACUUM (ANALYZE)")
    print(f"Loaded in {time.monotonic() - started:.0f} s.", file=sys.stderr)


def _measure(*, rounds: int) -> tuple[list[Mapping[str, float]], list[str]]:
    """Return the seconds of each round but the first, and what does not add up."""
    from billing.core.periods import Span  # noqa: PLC0415
    from billing.finance import page as month_page  # noqa: PLC0415
    from billing.finance.months import Month  # noqa: PLC0415
    from billing.finance.reports import liability  # noqa: PLC0415

    month = Month(date(2026, 2, 1))
    period, whole = Span(month.starts_at, month.ends_at), liability.Split.WHOLE
    measured: list[Mapping[str, float]] = []
    broken = []
    for number in range(rounds + 1):
        floor, added_up = _timed(_added_up)
        forward, [row] = _timed(lambda: liability.roll_forward(period))
        page, _ = _timed(lambda: month_page.read(month, by=whole, at=month.ends_at))
        figures = {"floor": floor, "forward": forward, "page": page}
        measured.append(figures)
        if row.closing.credits != added_up:
            broken.append(f"{row.closing.credits} are owed, the draws say {added_up}.")
        told = {f"{name}_ms": 1000 * took for name, took in figures.items()}
        print(report.progress(number, rounds, told), file=sys.stderr)
    return measured[1:], broken


def _added_up() -> int:
    from django.db import connection, transaction  # noqa: PLC0415

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")  # as the reports
        cursor.execute(_FLOOR)
        return int(cursor.fetchone()[0])


def _timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.finance", description=__doc__
    )
    parser.add_argument("--draws", type=int, help="of the ledger, in fourteen months")
    parser.add_argument("--rounds", type=int, help="besides the discarded first one")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument(
        "--smoke", action="store_true", help="fewer draws, looser bounds"
    )
    asked = parser.parse_args()
    draws, rounds = (100_000, 2) if asked.smoke else (1_000_000, 5)
    asked.draws, asked.rounds = asked.draws or draws, asked.rounds or rounds
    return asked


if __name__ == "__main__":
    sys.exit(main())
