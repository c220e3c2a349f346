"""One of the workers of a renewal: for each line, it grants what is due by then.

A program of its own, because two of the portal's workers are two processes.
"""

from __future__ import annotations

import sys
from datetime import datetime

import django

_FIRST_CHUNK = 50  # as in billing/tasks.py


def main() -> None:
    """Read instants and answer each with the number of months that were due."""
    django.setup()
    print("ready", flush=True)
    for line in sys.stdin:
        print(_grant_all(datetime.fromisoformat(line.strip())), flush=True)


def _grant_all(at: datetime) -> int:
    from billing.plans import renewing  # noqa: PLC0415 - models need the settings
    from config import clock  # noqa: PLC0415
    from credits.chunks import work_off  # noqa: PLC0415

    clock.set_offset(at - clock.real_now())
    total = 0
    while due := work_off(renewing.grant_due_cycles, _FIRST_CHUNK):
        total += due
    return total


if __name__ == "__main__":
    main()
