"""`make manage ARGS="..."`: a management command beside `make run`, on its data."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BASE = Path(__file__).resolve().parent.parent
_TOLD = _BASE / "var" / "environment.json"

# What `make run` decides; everything else a command reads for itself.
_VARIABLES = {
    *("ENVIRONMENT", "BASE_URL", "LOG_LEVEL"),
    *("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"),
    *("STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRETS"),
}


@contextmanager
def told(environment: Mapping[str, str], file: Path = _TOLD) -> Iterator[None]:
    """Let commands find a run's servers until the block ends."""
    chosen = {name: environment[name] for name in _VARIABLES & environment.keys()}
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)  # it leads into the database
    file.write_text(json.dumps(chosen))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def environment_beside(file: Path = _TOLD) -> dict[str, str]:
    """Return the variables that lead to the servers of the run.

    Raises:
        FileNotFoundError: nothing runs.
    """
    found: dict[str, str] = json.loads(file.read_text())
    return found


def main(arguments: list[str], file: Path = _TOLD) -> NoReturn:
    """Become the command, on the data of the run.

    Raises:
        SystemExit: nothing runs.
    """
    try:
        environment = os.environ | environment_beside(file)
    except FileNotFoundError:
        sys.exit("Purser does not run from this folder: `make run` starts it.")
    command = [sys.executable, str(_BASE / "manage.py"), *arguments]
    os.execve(command[0], command, environment)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
