"""Many threads at once, each with a database connection of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS = 16


def race(work: Callable[[int], object], *, rounds: int, threads: int) -> list[object]:
    """Run `work(n)` for each round, in threads that start together.

    What a round returns or raises is its outcome. Connections go back to the pool
    after each round, as they do after a request.
    """
    start = Barrier(threads)

    def run(thread: int) -> list[object]:
        start.wait(timeout=30)
        return [_outcome(work, n) for n in range(thread, rounds, threads)]

    with ThreadPoolExecutor(threads) as pool:
        return [outcome for part in pool.map(run, range(threads)) for outcome in part]


def storm(rounds: int, call: Callable[[int, int], object]) -> list[object]:
    """Run `call(round, caller)`: each round, all callers at once."""
    return race(
        lambda n: call(n // CALLERS, n % CALLERS),
        rounds=rounds * CALLERS,
        threads=CALLERS,
    )


def tally(outcomes: list[object]) -> Counter[str]:
    """Count outcomes by the name of their type."""
    return Counter(type(outcome).__name__ for outcome in outcomes)


def _outcome(work: Callable[[int], object], n: int) -> object:
    try:
        return work(n)
    except Exception as error:  # noqa: BLE001 - an outcome like any other
        return error
    finally:
        connections.close_all()
