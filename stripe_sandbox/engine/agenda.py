"""Work that falls due on the sandbox's clock, done in the order of its due times."""

from __future__ import annotations

from collections.abc import Callable

from stripe_sandbox.engine.context import Context

Task = Callable[[Context, str], None]
_tasks: dict[str, Task] = {}


def task(name: str) -> Callable[[Task], Task]:
    """Register a task by the name under which it is scheduled."""

    def register(function: Task) -> Task:
        _tasks[name] = function
        return function

    return register


def work_off(context: Context) -> None:
    """Run everything that is due at `context.now`; a task sees its own due time."""
    while due := context.store.sql(
        "SELECT * FROM agenda WHERE due_at <= ? ORDER BY due_at, id LIMIT 1",
        context.now,
    ):
        [row] = due
        context.store.sql("DELETE FROM agenda WHERE id = ?", row["id"])
        _tasks[row["task"]](context.at(row["due_at"]), row["object_id"])
