"""A process that makes exports, and is killed at a chosen moment or lives later.

`python -m tests.faults.export_worker [--dies MOMENT] [--minutes-later N]`: it does what
the timetable does for exports, once.
"""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from enum import StrEnum

from tests.faults.worker import _after, _die, _move_clock


class Moment(StrEnum):
    """When somebody pulls the plug."""

    WRITING = "some rows are written"
    STORED = "the file is stored, but nothing says so yet"


def main() -> None:
    """Make what is due."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dies", type=Moment, choices=Moment)
    parser.add_argument("--minutes-later", type=int, default=0)
    options = parser.parse_args()
    _move_clock(timedelta(minutes=options.minutes_later))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if options.dies:
        _prepare_end(options.dies)

    from billing import tasks

    tasks.look_after_exports()


def _prepare_end(moment: Moment) -> None:
    from django.core.files.storage import FileSystemStorage

    from billing.exporting.progress import Progress

    if moment is Moment.WRITING:
        Progress.counted = _dying_after_three(Progress.counted)
    if moment is Moment.STORED:
        _after(FileSystemStorage, "save", _die)


def _dying_after_three(counted):
    def count(progress, rows):
        for number, row in enumerate(counted(progress, rows)):
            if number == 3:
                _die()
            yield row

    return count


if __name__ == "__main__":
    main()
