"""Work that falls due on the sandbox's clock, done in the order of its due times."""

from __future__ import annotations

from collections.abc import Callable

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Store

Task = Callable[[Context, str], None]
_tasks: dict[str, Task] = {}


def task(name: str) -> Callable[[Task], Task]:
    """Register a task by the name under which it is scheduled."""

    def register(function: Task) -> Task:
        _tasks[name] = function
        return function

    return register


def work_off(context: Context) -> None:
    """Run everything that is due, on the sandbox's clock and on each test clock.

    A task sees its own due time.
    """
    run_until(context, context.now)
    waiting = "SELECT DISTINCT test_clock FROM agenda WHERE test_clock IS NOT NULL"
    for row in context.store.sql(waiting):
        on_clock = context.following({"test_clock": row["test_clock"]})
        run_until(on_clock, on_clock.now)


def run_until(context: Context, until: int) -> None:
    """Run what is due by a moment on the clock of the context, in time order."""
    while due := context.store.sql(
        "SELECT * FROM agenda WHERE test_clock IS ? AND due_at <= ?"
        " ORDER BY due_at, id LIMIT 1",
        context.test_clock,
        until,
    ):
        [row] = due
        context.store.sql("DELETE FROM agenda WHERE id = ?", row["id"])
        _tasks[row["task"]](context.at(row["due_at"]), row["object_id"])


def next_due_at(store: Store) -> int | None:
    """Return when the sandbox's clock next has something to do, if ever."""
    [row] = store.sql("SELECT min(due_at) AS due FROM agenda WHERE test_clock IS NULL")
    return None if row["due"] is None else int(row["due"])
