"""How fast a ledger is exported, beside psql's \\copy: `python -m bench.exporting`.

Each file is made as a worker makes it, in a process of its own whose memory is taken.
The floor is the same query, sent by psql to a file. Both files must be the same.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from bench import report
from bench.goals import Goal, Verdict, judge
from bench.lab import ROOT, open_lab, program
from config.embedded import DATABASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.lab import Lab

_SEED = Path(__file__).resolve().with_suffix(".sql")
_WALLETS = 1_000
_FEW, _MANY = date(2026, 3, 1), date(2026, 3, 2)

GOALS = (
    Goal("17", "rows exported / by psql's \\copy", "exported", "copied", 0.7),
    Goal(
        "17",
        "memory of a file / of a tenth, CSV",
        over="memory",
        under="memory_of_tenth",
        bound=1.1,
        is_ceiling=True,
    ),
    Goal(
        "17",
        "memory of a file / of a tenth, XLSX",
        over="xlsx_memory",
        under="xlsx_memory_of_tenth",
        bound=1.1,
        is_ceiling=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A file that a process of its own made."""

    seconds: float
    memory: int
    rows: int
    file: Path


def main() -> int:
    """Load, measure and print; return 1 when a goal failed, or files differ."""
    asked = _arguments()
    if asked.day:
        print(json.dumps(_make(date.fromisoformat(asked.day), asked.format)))
        return 0
    rounds, broken = measure(asked.rows, rounds=asked.rounds)
    loosened_by = 2 if asked.smoke else 1
    results = [judge(goal, rounds, loosened_by=loosened_by) for goal in GOALS]
    print(report.table(results, rounds, broken))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(report.as_json(results, rounds, broken))
    has_failed = any(result.verdict is Verdict.FAILED for result in results)
    return 1 if broken or has_failed else 0


def measure(rows: int, *, rounds: int) -> tuple[list[Mapping[str, float]], list[str]]:
    """Return the figures of each round but the first, and what is wrong with files."""
    with open_lab(wallets=_WALLETS) as lab:
        numbers = {"few": rows // 10, "many": rows, "wallets": _WALLETS}
        _load(lab.admin, numbers)
        _keep_in(lab.directory)
        _made(_FEW, "XLSX")  # the first one may have to compile what it imports
        xlsx = {
            "xlsx_memory": _made(_MANY, "XLSX").memory,
            "xlsx_memory_of_tenth": _made(_FEW, "XLSX").memory,
        }
        measured, broken = [], []
        for number in range(rounds + 1):
            figures, problem = _round(lab, rows)
            measured.append(figures | xlsx)
            broken += problem
            print(report.progress(number, rounds, figures), file=sys.stderr)
    return measured[1:], broken


def _round(lab: Lab, rows: int) -> tuple[dict[str, float], list[str]]:
    lab.checkpoint()
    copied = lab.directory / "copied.csv"
    took = _copy(lab, copied)
    lab.checkpoint()
    made = _made(_MANY, "CSV")
    figures = {
        "copied": rows / took,
        "exported": rows / made.seconds,
        "memory": made.memory,
        "memory_of_tenth": _made(_FEW, "CSV").memory,
    }
    with made.file.open("rb") as ours, copied.open("rb") as theirs:
        ours.readline()  # the header
        is_same = all(map(operator.eq, ours, theirs)) and not theirs.readline()
    made.file.unlink()
    return figures, [] if is_same and made.rows == rows else ["The files differ."]


def _load(admin: psycopg.Connection, numbers: Mapping[str, int]) -> None:
    started = time.monotonic()
    text = _SEED.read_text()
    for name, number in numbers.items():
        text = text.replace(f"{{{name}}}", str(number))
    for statement in text.split(";\n"):
        admin.execute(statement.encode())
    print(f"Loaded in {time.monotonic() - started:.0f} s.", file=sys.stderr)


def _keep_in(directory: Path) -> None:
    # Where files are written and kept: beside psql's, on the same disk.
    options = {"location": str(directory / "exports")}
    os.environ["EXPORT_STORAGE_OPTIONS"] = json.dumps(options)
    os.environ["TMPDIR"] = str(directory)


def _copy(lab: Lab, file: Path) -> float:
    wanted = _wanted(_MANY, "CSV")
    from billing.exporting.registry import TABLES  # noqa: PLC0415

    query = psycopg.ClientCursor(lab.admin).mogrify(
        TABLES[wanted.kind].csv_query, wanted.parameters
    )
    command = f"\\copy ({' '.join(query.split())}) TO '{file}' WITH (FORMAT csv)"
    server = ("--host", "127.0.0.1", "--port", str(lab.port), "--username", "purser")
    psql = [str(program("psql")), *server, "--quiet", "--command", command, DATABASE]
    started = time.perf_counter()
    subprocess.run(psql, check=True)  # noqa: S603
    return time.perf_counter() - started


def _made(day: date, form: str) -> Made:
    command = [sys.executable, "-m", "bench.exporting", "--day", str(day)]
    done = subprocess.run(  # noqa: S603
        [*command, "--format", form],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return Made(**told | {"file": Path(told["file"])})


def _make(day: date, form: str) -> dict[str, object]:
    """Make a file in this process, from the wish to the stored file."""
    import django  # noqa: PLC0415

    os.environ["LOG_LEVEL"] = "WARNING"
    django.setup()
    from accounts.models import User  # noqa: PLC0415
    from billing.exporting import asking, running  # noqa: PLC0415
    from config.clock import now  # noqa: PLC0415

    # As if each took long: the templates of its e-mail bring 20 MB, whatever the file.
    running.LONG = timedelta()
    wanted = _wanted(day, form)
    faye, _ = User.objects.get_or_create(email="faye@example.com")
    export = asking.ask(
        kind=wanted.kind,
        format=wanted.format,
        since=wanted.since,
        until=wanted.until,
        account=None,
        by=faye,
        at=now(),
    )
    started = time.perf_counter()
    running.run(export_id=export.pk, clock=now)
    seconds = time.perf_counter() - started
    export.refresh_from_db()
    return {
        "seconds": seconds,
        "memory": _peak_memory(),
        "rows": export.rows_done,
        "file": running.storage().path(export.file_name),
    }


def _peak_memory() -> int:
    # Not getrusage: what it says begins with the memory of whoever started us.
    status = Path("/proc/self/status").read_text()
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(peak)


def _wanted(day: date, form: str):  # noqa: ANN202 - known only once Django is set up
    from billing.exporting.tables import Wanted, period  # noqa: PLC0415
    from billing.models import ExportFormat, ExportKind  # noqa: PLC0415

    since, until = period(day, day)
    return Wanted(ExportKind.LEDGER, ExportFormat(form), since, until)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.exporting", description=__doc__
    )
    parser.add_argument("--rows", type=int, help="of the file")
    parser.add_argument("--rounds", type=int, help="besides the discarded first one")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument(
        "--smoke", action="store_true", help="fewer rows, looser bounds"
    )
    parser.add_argument("--day", help=argparse.SUPPRESS)  # a process for one file
    parser.add_argument("--format", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    rows, rounds = (100_000, 2) if asked.smoke else (1_000_000, 5)
    asked.rows, asked.rounds = asked.rows or rows, asked.rounds or rounds
    return asked


if __name__ == "__main__":
    sys.exit(main())
