"""How long pages take over ten million entries: `python -m bench.reading`.

Whole pages by Django's own client, in this process: an ordinary account's and those of
the busiest, which has a twentieth of all entries. Loading takes minutes and 8 GB.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import sys
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from bench.lab import open_lab

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg
    from django.test import Client

_SEED = Path(__file__).resolve().with_suffix(".sql")
_MONTHS, _BESIDE_JOBS = 12, 2  # a month's grant and the expiry of its rest
_GOAL_MS, _GOAL_RATIO = 50, 5
_ORDINARY = 50  # accounts, taken in turn


@dataclass(frozen=True, slots=True)
class Size:
    """How many accounts, and how many jobs a month an ordinary one and the busiest."""

    wallets: int
    jobs: int
    busy_jobs: int

    @property
    def busy_entries(self) -> int:
        """Return how many entries the busiest wallet has; its last month is open."""
        return _MONTHS * (self.busy_jobs + _BESIDE_JOBS) - 1


@dataclass(frozen=True, slots=True)
class Timing:
    """What a page took, in milliseconds, for ordinary accounts and the busiest."""

    page: str
    ordinary_p50: float
    ordinary_p99: float
    busy_p50: float
    busy_p99: float

    @property
    def is_met(self) -> bool:
        """Whether the page stays below its goals: milliseconds, and their ratio."""
        is_fast = max(self.ordinary_p99, self.busy_p99) < _GOAL_MS
        return is_fast and self.busy_p50 <= _GOAL_RATIO * self.ordinary_p50


FULL = Size(wallets=100_000, jobs=6, busy_jobs=41_665)
SMOKE = Size(wallets=1_000, jobs=6, busy_jobs=1_665)


def main() -> int:
    """Load, measure and print; return 1 when a page misses a goal."""
    asked = _arguments()
    size = SMOKE if asked.smoke else FULL
    os.environ["LOG_LEVEL"] = "WARNING"  # not a line for each page
    with open_lab(wallets=0) as lab:
        load(lab.admin, size)
        add_up()
        timings = measure(size, calls=asked.calls)
    print(table(timings, calls=asked.calls))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps([asdict(one) for one in timings], indent=2))
    return 0 if all(timing.is_met for timing in timings) else 1


def load(admin: psycopg.Connection, size: Size) -> None:
    """Write the books of a year, as the ledger's own functions would have left them."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("load_catalogue", stdout=io.StringIO())
    started = time.monotonic()
    text = _SEED.read_text()
    for name, number in asdict(size).items():
        text = text.replace(f"{{{name}}}", str(number))
    admin.execute(text.encode())
    admin.execute("RESET ALL")
    admin.execute("VACUUM (ANALYZE)")
    print(f"Loaded in {time.monotonic() - started:.0f} s.", file=sys.stderr)


def add_up() -> None:
    """Add up the days of busy wallets, as the timetable does."""
    from credits.tasks import add_usage_up  # noqa: PLC0415

    started = time.monotonic()
    add_usage_up()
    print(f"Added up in {time.monotonic() - started:.0f} s.", file=sys.stderr)


def measure(size: Size, *, calls: int) -> list[Timing]:
    """Return what each page takes."""
    from django.test.client import ClientHandler  # noqa: PLC0415

    import config.wsgi  # noqa: F401, PLC0415 - it readies a process for pages

    chance = random.Random(1)  # noqa: S311 - the same accounts each time
    ordinary = chance.sample(range(1, size.wallets), _ORDINARY)
    visitors = [_visitor(account) for account in ordinary]
    busy = [_visitor(size.wallets)]
    # A process has one chain of middleware, not one for each visitor.
    handler = ClientHandler(enforce_csrf_checks=False)
    for visitor in [*visitors, *busy]:
        visitor.handler = handler
    middle = size.busy_entries // 2
    return [
        _timing(name, path, visitors, busy, calls)
        for name, path in _pages(before=middle).items()
    ]


def table(timings: Iterable[Timing], *, calls: int) -> str:
    """Return the table of docs/performance.md."""
    lines = [
        f"Milliseconds a page, p50 / p99 of {calls} calls.",
        f"Goal: p99 below {_GOAL_MS}, the busiest at most {_GOAL_RATIO} times others.",
        "",
        "| page | ordinary | busiest | ratio | verdict |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {one.page} | {one.ordinary_p50:.1f} / {one.ordinary_p99:.1f}"
            f" | {one.busy_p50:.1f} / {one.busy_p99:.1f}"
            f" | {one.busy_p50 / one.ordinary_p50:.1f}"
            f" | {'ok' if one.is_met else 'FAILED'} |"
            for one in timings
        ),
    ]
    return "\n".join(lines)


def _pages(*, before: int) -> dict[str, str]:
    from config.clock import now  # noqa: PLC0415

    today = now().date()
    year = f"from={today - timedelta(days=364)}&to={today}"
    return {
        "rates, which read no ledger": "/rates/",
        "overview": "/",
        "statement, newest": "/statement/",
        "statement, from the middle": f"/statement/?before={before}",
        "statement, added": "/statement/?kind=GRANT",
        "statement, used": "/statement/?kind=SPEND",
        "statement, expired": "/statement/?kind=EXPIRE",
        "usage, 30 days": "/usage/",
        "usage, this cycle": "/usage/?range=cycle",
        "usage, 90 days": "/usage/?range=90",
        "usage, a year": f"/usage/?{year}",
        "usage, a year of one feature": f"/usage/?{year}&feature=image",
        "usage, a year of one member": f"/usage/?{year}&member=member1@example.com",
        "usage as CSV, 30 days": "/usage/usage.csv",
    }


def _visitor(account_id: int) -> Client:
    from django.test import Client  # noqa: PLC0415

    from accounts.models import Account, Membership, Role, User  # noqa: PLC0415

    account = Account.objects.get(pk=account_id)
    user, _ = User.objects.get_or_create(email=f"owner{account_id}@example.com")
    Membership.objects.get_or_create(account=account, user=user, role=Role.OWNER)
    # As through the proxy in front of production.
    client = Client(headers={"host": "127.0.0.1", "x-forwarded-proto": "https"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _timing(
    page: str, path: str, ordinary: list[Client], busy: list[Client], calls: int
) -> Timing:
    # By turns: what else the machine does then slows both alike.
    turns = list(
        islice(zip(cycle(ordinary), cycle(busy), strict=False), _ORDINARY + calls)
    )
    times = [[_milliseconds(client, path) for client in pair] for pair in turns]
    columns = zip(*times[_ORDINARY:], strict=True)  # each account once before it counts
    figures = [
        figure
        for column in columns
        for figure in (median(column), quantiles(column, n=100)[98])
    ]
    return Timing(page, *figures)


def _milliseconds(client: Client, path: str) -> float:
    started = time.perf_counter()
    response = client.get(path)
    body = response.getvalue()
    took = (time.perf_counter() - started) * 1000
    if response.status_code != 200 or not body:
        message = f"{path}: {response.status_code}"
        raise RuntimeError(message)
    return took


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.reading", description=__doc__
    )
    parser.add_argument("--calls", type=int, default=200, help="of each page")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--smoke", action="store_true", help="over fewer entries")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
